import { z } from 'zod';
import { messageOf } from '#kit/fault';
import type { Json } from '#kit/json';
import type { Columns } from './columns.ts';

/** A returned value, checked: the stored values of each column in order, or what is wrong with it. */
export type Checked =
  | { readonly ok: true; readonly values: readonly Json[]; readonly undeclared: readonly string[] }
  | { readonly ok: false; readonly code: 'invalid-output'; readonly message: string };

const shownMax = 80;

/** A check of what a step's function returns against its columns. Never throws. */
export function rowCheck(output: Columns): (value: unknown) => Checked {
  const columns = Object.keys(output.shape);
  const compiled = z.compile(output);
  const isColumn = new Set(columns);
  return (value) => {
    try {
      const parsed = compiled.safeParse(value);
      if (!parsed.success) return wrong(parsed.error, value);
      const row = parsed.data as Readonly<Record<string, Json>>;
      const keys = Object.keys(value as object);
      return {
        ok: true,
        values: columns.map((name) => row[name] as Json),
        undeclared: keys.length === columns.length ? [] : keys.filter((key) => !isColumn.has(key)),
      };
    } catch (thrown) {
      return { ok: false, code: 'invalid-output', message: `the value could not be checked: ${messageOf(thrown)}` };
    }
  };
}

function wrong(error: z.ZodError, value: unknown): Checked {
  const issue = error.issues[0];
  const path = issue?.path.map(String).join('.') ?? '';
  let got: unknown = value;
  for (const key of issue?.path ?? [])
    got = typeof got === 'object' && got !== null ? (got as Readonly<Record<PropertyKey, unknown>>)[key] : undefined;
  const where = path ? `column ${path}: ` : '';
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  return { ok: false, code: 'invalid-output', message: `${where}${issue?.message ?? 'invalid'}, got ${shown(got)}${more}` };
}

function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n, a bigint`;
  if (value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > shownMax ? `${value.slice(0, shownMax)}…` : value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name = (value as { constructor?: { name?: string } }).constructor?.name;
  return name && name !== 'Object' ? `a ${name}` : 'an object';
}
