/**
 * Matches a text that a spreadsheet takes for a formula, by the first characters that OWASP lists, including full-width ones. Apostrophes before them also
 * match, so that escaping is reversible: without its first apostrophe an escaped text is the original one.
 */
const formula = /^'*[=+\-@\t\r\n＝＋－＠]/;

/** Puts an apostrophe before a text that a spreadsheet would take for a formula. */
export const escapeFormula = (text: string): string => (formula.test(text) ? `'${text}` : text);
