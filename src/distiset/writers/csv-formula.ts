/**
 * A text that a spreadsheet takes for a formula, as OWASP lists their first characters, full-width ones too. Apostrophes before it count as part of it, so
 * that an escaped text is told from one that had an apostrophe of its own: without its first apostrophe it is the text that it was.
 */
const formula = /^'*[=+\-@\t\r\n＝＋－＠]/;

/** Puts an apostrophe before a text that a spreadsheet would take for a formula. */
export const escapeFormula = (text: string): string => (formula.test(text) ? `'${text}` : text);
