const name = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`;
const member = String.raw`${name}(?:\s*:\s*${name})?`;
/** A parameter that is a name, or takes members by their names, without defaults and rests. */
const parameter = String.raw`(?:${name}|\{\s*(?:${member}(?:\s*,\s*${member})*\s*,?\s*)?\})`;
const parameters = String.raw`\(\s*(?:${parameter}\s*(?:,\s*(?<context>${parameter})\s*)?,?\s*)?\)`;

const arrow = new RegExp(String.raw`^(?:async\b\s*)?(?:${parameters}|${name})\s*=>`, 'u');
const method = new RegExp(String.raw`^(?:async\b\s*)?(?:function\b\s*)?(?:\*\s*)?(?:${name})?\s*${parameters}\s*\{`, 'u');

/** Members of a context that are made of the row's origin. */
const ofOrigin: ReadonlySet<string> = new Set(['key', 'seed', 'random']);

/**
 * Returns whether a function of rows and their context may read `key`, `seed` or `random`. It returns false only where the function's text shows that it
 * cannot: it takes no context, or takes other members of it by name. Rows of such a step need not be traced to their origins.
 */
export function mayReadOrigin(run: unknown): boolean {
  if (typeof run !== 'function') return true;
  const text = Function.prototype.toString.call(run);
  const head = arrow.exec(text) ?? (/\barguments\b|\beval\b|\[native code\]/.test(text) ? null : method.exec(text));
  if (!head) return true;
  const context = head.groups?.['context'];
  if (context === undefined) return false;
  if (!context.startsWith('{')) return true;
  const members = context.slice(1, -1).split(',');
  return members.some((each) => ofOrigin.has((each.split(':')[0] ?? '').trim()));
}
