import type pg from 'pg';
import { Fault } from '#kit/fault';
import { formatInstant } from '#kit/instant';
import type { AppendRefusal, AppendResult, DriverAppendRequest } from '#log';
import type { PackedChunk } from '#schema';
import { bigintArray, byteaArray, integerArray, textArray } from './binary-array.ts';

interface AppendRow {
  readonly outcome: string;
  readonly message: string | null;
  readonly first: number;
  readonly last: number;
  readonly recorded_at: number;
  readonly hash: Buffer;
  readonly epoch: number;
  readonly duplicate: boolean;
}

const arrays = (from: number): string =>
  ['text', 'integer', 'integer', 'text', 'bigint', 'integer', 'text', 'text']
    .map((type, index) => `$${from + index}::${type}[]`)
    .join(', ');

const statements = {
  append: `select (r).* from (select distilog.append($1, $2, $3, $4, $5, ${arrays(6)}, $14::bytea[], $15::text[], $16::bigint[], $17::bytea[]) offset 0) as q (r)`,
  take_over: `select (r).* from (select distilog.take_over($1, $2, $3, $4, $5, ${arrays(6)}) offset 0) as q (r)`,
  create_run: `select (r).* from (select distilog.create_run($1, $2, $3, ${arrays(4)}) offset 0) as q (r)`,
} as const;

/** Calls one of the SQL functions that append, as a named prepared statement. A refusal is a result; everything else throws what `pg` throws. */
export async function callAppend(
  client: pg.ClientBase,
  name: keyof typeof statements,
  request: DriverAppendRequest,
): Promise<AppendResult> {
  const { events, logId, epoch, appendId, expectedHash, writer } = request;
  const columns = [
    textArray(events.map(({ type }) => type)),
    integerArray(events.map(({ version }) => version)),
    integerArray(events.map(({ pass }) => pass)),
    textArray(events.map(({ step }) => step)),
    bigintArray(events.map(({ batch }) => batch)),
    integerArray(events.map(({ attempt }) => attempt)),
    textArray(events.map(({ chunks }) => chunks.join(','))),
    textArray(events.map(({ data }) => data)),
  ];
  const expected = expectedHash === null ? null : Buffer.from(expectedHash, 'hex');
  const values = name === 'create_run' ? [logId, appendId, writer, ...columns] : [logId, epoch, appendId, expected, writer, ...columns];
  if (name === 'append') values.push(...chunkColumns(request.brings ?? []));
  try {
    const { rows } = await client.query<AppendRow>({ name: `distilog_${name}`, text: statements[name], values });
    const [row] = rows;
    if (!row) throw new Fault('database-error', 'PostgreSQL answered an append with nothing.');
    if (row.outcome !== 'ok')
      return { ok: false, code: row.outcome as AppendRefusal['code'], message: row.message ?? '', epoch: row.epoch };
    const { first, last, duplicate } = row;
    return {
      ok: true,
      first,
      last,
      duplicate,
      epoch: row.epoch,
      hash: row.hash.toString('hex'),
      recordedAt: formatInstant(row.recorded_at),
    };
  } catch (error) {
    const refused = refusalOf(error as pg.DatabaseError);
    if (refused) return refused;
    throw error;
  }
}

const chunkColumns = (chunks: readonly PackedChunk[]): readonly Buffer[] => [
  byteaArray(chunks.map(({ sha256 }) => Buffer.from(sha256, 'hex'))),
  textArray(chunks.map(({ codec }) => codec)),
  bigintArray(chunks.map(({ length }) => length)),
  byteaArray(chunks.map(({ body }) => body)),
];

/** Errors of the database that say the events themselves are at fault: nothing was stored, and sending them again changes nothing. */
function refusalOf({ code = '', constraint = '', message }: Partial<pg.DatabaseError>): AppendRefusal | null {
  const refusal = (as: AppendRefusal['code']): AppendRefusal => ({ ok: false, code: as, message: message ?? '', epoch: null });
  if (code === '23505' && (constraint === 'events_one_success' || constraint === 'events_one_end')) return refusal('already-recorded');
  if (code === '23503') return refusal('unknown-chunk');
  if (code.startsWith('22') || code.startsWith('23')) return refusal('invalid-event');
  return null;
}
