/** Returns a text that is equal for two values only if every reader of the file sees them as equal. A number equals a bigint of the same value; 0 and -0 differ. */
export function comparable(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(comparable).join(',')}]`;
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return `date:${value.getTime()}`;
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${comparable(member)}`);
  return `{${members.join(',')}}`;
}
