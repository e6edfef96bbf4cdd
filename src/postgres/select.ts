import pg from 'pg';
import { codeOf, Fault, messageOf } from '../kit/fault.ts';
import type { Json } from '../kit/json.ts';
import type { Connect } from './connect.ts';
import { openClient, whereabouts } from './connection.ts';
import { refuseTransactionPooler } from './pooler.ts';
import { serverFault } from './server-faults.ts';
import { refusePrivilegedLogin } from './sql-rights.ts';

/** The result of a statement. */
export interface QueryResult {
  readonly columns: readonly string[];
  /** Rows with one value per column: a number, text, boolean, JSON value, or null. */
  readonly rows: readonly (readonly Json[])[];
  /** Whether there are more rows than requested. */
  readonly isCut: boolean;
}

export interface SelectOptions {
  /** Maximum number of rows to return. */
  readonly rowsMax: number;
  /** Time limit for the server. */
  readonly timeoutMs: number;
}

/** Statements that return rows and may not change any. */
const readers = new Set(['select', 'with', 'values', 'table', 'explain', 'show']);
/** Statements for which a cursor can be declared, so that rows beyond the limit are never computed. */
const cursorReaders = new Set(['select', 'with', 'values', 'table']);

/**
 * Runs one statement that only reads, in a read-only transaction, with schema `distilog` on the search path. Throws `Fault('not-a-select')` for any other
 * statement, `Fault('login-too-powerful')` for a login with rights beyond the database, `Fault('sql-error')` with the place of the error, and
 * `Fault('sql-timeout')`.
 */
export async function select(connect: Connect, text: string, { rowsMax, timeoutMs }: SelectOptions): Promise<QueryResult> {
  const verb = firstWord(text);
  if (!readers.has(verb)) throw notASelect(verb === '' ? 'is empty' : `begins with ${verb}`);
  const client = await openClient(connect, 'distilog sql');
  const prefix = cursorReaders.has(verb) ? `declare ${cursor} no scroll cursor for ` : '';
  try {
    await refuseTransactionPooler(client, connect);
    await refusePrivilegedLogin(client);
    await client.query('begin transaction read only');
    await client.query(`set local statement_timeout = ${timeoutMs}; set local search_path = distilog, pg_catalog, public`);
    // Each is sent as one prepared statement, so that PostgreSQL refuses a second statement after a semicolon.
    const direct = await client.query(toQuery(`${prefix}${text}`));
    const found = prefix === '' ? direct : await client.query(toQuery(`fetch forward ${rowsMax + 1} from ${cursor}`));
    const rows = found.rows as readonly (readonly Json[])[];
    return { columns: found.fields.map(({ name }) => name), rows: rows.slice(0, rowsMax), isCut: rows.length > rowsMax };
  } catch (error) {
    throw sqlFault(error, { client, text, offset: prefix.length, timeoutMs });
  } finally {
    // The transaction ends with its connection.
    await client.end().catch(() => undefined);
  }
}

const cursor = 'distilog_rows';

const toQuery = (text: string) => ({ text, values: [], queryMode: 'extended', rowMode: 'array' as const, types });

/** Returns the first word of a statement, after spaces, comments and parentheses. */
const firstWord = (text: string): string => /^(?:[\s(;]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*([a-z]*)/i.exec(text)?.[1]?.toLowerCase() ?? '';

const notASelect = (what: string, cause?: unknown) =>
  new Fault(
    'not-a-select',
    `The statement ${what}, so it was refused. The command sql only reads: give one select, with, values, table, explain or show.`,
    cause === undefined ? {} : { cause },
  );

/** Object ids of PostgreSQL types that become JSON values: bool; int8, int2, int4, float4, float8; json, jsonb. */
const boolOid = 16;
const numberOids = new Set([20, 21, 23, 700, 701]);
const jsonOids = new Set([114, 3802]);

/** Parsers for these types. Values of all other types stay texts, as PostgreSQL writes them. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => {
    if (oid === boolOid) return (text: string) => text === 't';
    if (numberOids.has(oid)) return numberOrText;
    if (jsonOids.has(oid)) return (text: string) => JSON.parse(text) as Json;
    return (text: string) => text;
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** Parses a number. Returns the text if a number would not be exact or not JSON: NaN, infinities, integers beyond 2^53. */
function numberOrText(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? number : text;
}

interface StatementContext {
  readonly client: pg.Client;
  readonly text: string;
  /** Number of characters that were added before the statement. */
  readonly offset: number;
  readonly timeoutMs: number;
}

/** SQLSTATE classes for errors in the statement, as opposed to server failures: syntax, names, data, features, read-only. */
const statementFaults = /^(0A|21|22|25|2F|34|42|44|54|P0)/;

function sqlFault(error: unknown, { client, text, offset, timeoutMs }: StatementContext): Fault {
  const code = codeOf(error) ?? '';
  if (code === '25006' || code === '2F003') return notASelect(`changes something (${messageOf(error)})`, error);
  if (code === '0A000' && /data-modifying/.test(messageOf(error))) return notASelect('has a part that changes rows', error);
  if (code === '42601' && error instanceof pg.DatabaseError && error.position === undefined && text.includes(';'))
    return notASelect('is more than one statement', error);
  if (code === '57014')
    return new Fault(
      'sql-timeout',
      `The statement took longer than ${timeoutMs / 1000} s and was cancelled. Read fewer rows: add a condition or a limit.`,
      {
        cause: error,
      },
    );
  if (!(error instanceof pg.DatabaseError) || !statementFaults.test(code)) return serverFault(error, whereabouts(client));
  const at = Number(error.position) - offset;
  const shown = Number.isInteger(at) && at > 0 ? pointAt(text, at) : null;
  const lines = [
    `PostgreSQL: ${error.message}${shown ? ` (${shown.place})` : ''}`,
    ...(shown ? shown.lines : []),
    ...(error.hint === undefined ? [] : [`Hint: ${error.hint}`]),
  ];
  return new Fault('sql-error', lines.join('\n'), { details: { sqlstate: code, position: shown ? at : null }, cause: error });
}

/** Characters of the line that are shown before and after the place. */
const aroundMax = 60;

/** Returns the line that contains a place, with a mark below the place. Places are counted in characters, from 1. */
function pointAt(text: string, at: number): { readonly place: string; readonly lines: readonly string[] } {
  const before = Array.from(text)
    .slice(0, at - 1)
    .join('')
    .split('\n');
  const column = Array.from(before.at(-1) ?? '').length;
  const line = Array.from(text.split('\n')[before.length - 1] ?? '');
  const from = Math.max(0, column - aroundMax);
  const shown = line
    .slice(from, column + aroundMax)
    .join('')
    .replaceAll('\t', ' ');
  return { place: `line ${before.length}, column ${column + 1}`, lines: [`  ${shown}`, `  ${' '.repeat(column - from)}^`] };
}
