const name = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`;
const member = String.raw`${name}(?:\s*:\s*${name})?`;
/** Matches a parameter that is a name, or a destructuring pattern without defaults and rest elements. */
const parameter = String.raw`(?:${name}|\{\s*(?:${member}(?:\s*,\s*${member})*\s*,?\s*)?\})`;
const parameters = String.raw`\(\s*(?:${parameter}\s*(?:,\s*(?<context>${parameter})\s*)?,?\s*)?\)`;

const arrow = new RegExp(String.raw`^(?:async\b\s*)?(?:${parameters}|${name})\s*=>`, 'u');
const method = new RegExp(String.raw`^(?:async\b\s*)?(?:function\b\s*)?(?:\*\s*)?(?:${name})?\s*${parameters}\s*\{`, 'u');

/** Members of a context that are derived from the row's origin. */
const originMembers: ReadonlySet<string> = new Set(['key', 'seed', 'random']);

/**
 * Returns whether a step's function may read `key`, `seed` or `random`. It returns false only if the function's text proves that it cannot: the function
 * takes no context, or destructures other members of it. Rows of such a step need not be traced to their origins.
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
  return members.some((entry) => originMembers.has((entry.split(':')[0] ?? '').trim()));
}
