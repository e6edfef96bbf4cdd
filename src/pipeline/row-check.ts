import { z } from 'zod';
import { messageOf } from '../kit/fault.ts';
import { prototypeKeyIn, type Json } from '../kit/json.ts';
import type { Columns } from './columns.ts';
import { canHoldAnyKey } from './open-keys.ts';

/** The result of checking a returned value: the values to store, in column order, or the reason for rejecting it. */
export type Checked =
  | { readonly ok: true; readonly values: readonly Json[]; readonly undeclared: readonly string[] }
  | { readonly ok: false; readonly code: 'invalid-output'; readonly message: string };

/** Maximum number of characters of a wrong value, and of columns, in a message. */
const shownMax = 80;
const namedMax = 10;

/** Compiles a check of a step's return values against its columns. The check never throws. */
export function rowCheck(output: Columns): (value: unknown) => Checked {
  const columns = Object.keys(output.shape);
  const compiled = z.compile(output);
  const isColumn = new Set(columns);
  const open = columns.filter((name) => canHoldAnyKey(output.shape[name] as z.core.$ZodType));
  return (value) => {
    try {
      const parsed = compiled.safeParse(value);
      if (!parsed.success) return rejectValue(parsed.error, value, columns);
      const lost = findPrototypeKey(value as Readonly<Record<string, unknown>>, open);
      if (lost !== null)
        return {
          ok: false,
          code: 'invalid-output',
          message: `column ${lost} has a key called __proto__, which cannot be stored: rename it`,
        };
      const row = parsed.data as Readonly<Record<string, Json>>;
      return { ok: true, values: columns.map((name) => row[name] as Json), undeclared: listUndeclared(isColumn, value as object) };
    } catch (thrown) {
      return { ok: false, code: 'invalid-output', message: `the value could not be checked: ${messageOf(thrown)}` };
    }
  };
}

/** Finds a key that zod drops, in the columns that may have any key. Returns its path, or null. */
function findPrototypeKey(row: Readonly<Record<string, unknown>>, open: readonly string[]): string | null {
  for (const name of open) {
    const path = prototypeKeyIn(row[name]);
    if (path !== null) return `${name}${path}`;
  }
  return null;
}

const none: readonly string[] = [];

/** Lists the keys of a row that are not columns. There are almost never any. */
function listUndeclared(isColumn: ReadonlySet<string>, row: object): readonly string[] {
  let undeclared: string[] | null = null;
  // This runs for every row, so it allocates no list of keys.
  for (const key in row) if (!isColumn.has(key) && Object.hasOwn(row, key)) (undeclared ??= []).push(key);
  return undeclared ?? none;
}

function rejectValue(error: z.ZodError, value: unknown, columns: readonly string[]): Checked {
  const [issue] = error.issues;
  let got = value;
  for (const key of issue?.path ?? [])
    got = typeof got === 'object' && got !== null ? (got as Readonly<Record<PropertyKey, unknown>>)[key] : undefined;
  const path = issue?.path.map(String).join('.') ?? '';
  const isNoRow = path === '' && issue?.code === 'invalid_type';
  const expected = isNoRow
    ? `expected object with ${columns.slice(0, namedMax).join(', ')}${columns.length > namedMax ? ', …' : ''}`
    : describeExpectation(issue);
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  return { ok: false, code: 'invalid-output', message: `${path ? `column ${path}: ` : ''}${expected}, got ${preview(got)}${more}` };
}

/** Returns what zod expected, without its description of the actual value, which names only the type. */
function describeExpectation(issue: z.core.$ZodIssue | undefined): string {
  const message = issue?.message.replace(/^Invalid (input|option): /, '') ?? 'invalid';
  if (issue?.code === 'invalid_type') return message.replace(/, received \w+$/, '');
  if (issue?.code !== 'invalid_union' || message !== 'Invalid input') return message;
  const wanted = issue.errors.map(([first]) =>
    first?.path.length === 0 ? /^expected (.+)/.exec(describeExpectation(first))?.[1] : undefined,
  );
  return wanted.includes(undefined) || wanted.length === 0
    ? 'fits no member of the union'
    : `expected ${[...new Set(wanted)].join(' or ')}`;
}

function preview(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n, a bigint`;
  if (value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > shownMax ? `${value.slice(0, shownMax)}…` : value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name = (value as { constructor?: { name?: string } }).constructor?.name;
  return name && name !== 'Object' ? `a ${name}` : 'an object';
}
