import { z } from 'zod';
import { messageOf } from '../kit/fault.ts';
import { prototypeKeyIn, type Json } from '../kit/json.ts';
import type { Columns } from './columns.ts';
import { takesAnyKey } from './open-keys.ts';

/** A returned value, checked: the stored values of each column in order, or what is wrong with it. */
export type Checked =
  | { readonly ok: true; readonly values: readonly Json[]; readonly undeclared: readonly string[] }
  | { readonly ok: false; readonly code: 'invalid-output'; readonly message: string };

/** Characters of a wrong value, and columns, that a message shows. */
const shownMax = 80;
const namedMax = 10;

/** A check of what a step's function returns against its columns. Never throws. */
export function rowCheck(output: Columns): (value: unknown) => Checked {
  const columns = Object.keys(output.shape);
  const compiled = z.compile(output);
  const isColumn = new Set(columns);
  const open = columns.filter((name) => takesAnyKey(output.shape[name] as z.core.$ZodType));
  return (value) => {
    try {
      const parsed = compiled.safeParse(value);
      if (!parsed.success) return wrong(parsed.error, value, columns);
      const lost = lostKey(value as Readonly<Record<string, unknown>>, open);
      if (lost !== null)
        return { ok: false, code: 'invalid-output', message: `column ${lost} has a key called __proto__, which cannot be kept: rename it` };
      const row = parsed.data as Readonly<Record<string, Json>>;
      return { ok: true, values: columns.map((name) => row[name] as Json), undeclared: othersThan(isColumn, value as object) };
    } catch (thrown) {
      return { ok: false, code: 'invalid-output', message: `the value could not be checked: ${messageOf(thrown)}` };
    }
  };
}

/** Where a row has a key that zod drops, in columns that take keys of any name. */
function lostKey(row: Readonly<Record<string, unknown>>, open: readonly string[]): string | null {
  for (const name of open) {
    const within = prototypeKeyIn(row[name]);
    if (within !== null) return `${name}${within}`;
  }
  return null;
}

const none: readonly string[] = [];

/** Keys of a row that are no columns: almost always none. */
function othersThan(isColumn: ReadonlySet<string>, row: object): readonly string[] {
  let others: string[] | null = null;
  // One of them per row: a list of keys for each would be garbage a million times.
  for (const key in row) if (!isColumn.has(key) && Object.hasOwn(row, key)) (others ??= []).push(key);
  return others ?? none;
}

function wrong(error: z.ZodError, value: unknown, columns: readonly string[]): Checked {
  const [issue] = error.issues;
  let got = value;
  for (const key of issue?.path ?? [])
    got = typeof got === 'object' && got !== null ? (got as Readonly<Record<PropertyKey, unknown>>)[key] : undefined;
  const path = issue?.path.map(String).join('.') ?? '';
  const isNoRow = path === '' && issue?.code === 'invalid_type';
  const expected = isNoRow
    ? `expected object with ${columns.slice(0, namedMax).join(', ')}${columns.length > namedMax ? ', …' : ''}`
    : expectation(issue);
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  return { ok: false, code: 'invalid-output', message: `${path ? `column ${path}: ` : ''}${expected}, got ${shown(got)}${more}` };
}

/** What zod says it wanted, without its own words on what it got: those name the type only. */
function expectation(issue: z.core.$ZodIssue | undefined): string {
  const message = issue?.message.replace(/^Invalid (input|option): /, '') ?? 'invalid';
  if (issue?.code === 'invalid_type') return message.replace(/, received \w+$/, '');
  if (issue?.code !== 'invalid_union' || message !== 'Invalid input') return message;
  const wanted = issue.errors.map(([first]) => (first?.path.length === 0 ? /^expected (.+)/.exec(expectation(first))?.[1] : undefined));
  return wanted.includes(undefined) || wanted.length === 0
    ? 'fits no member of the union'
    : `expected ${[...new Set(wanted)].join(' or ')}`;
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
