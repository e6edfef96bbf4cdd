import type pg from 'pg';
import { Fault, hasCode, messageOf } from '../kit/fault.ts';
import { formatInstant } from '../kit/instant.ts';
import type { Sha256 } from '../kit/sha256.ts';
import { hashMismatch, leafHash, requireSameHash, type AppendRefusal, type AppendResult, type DriverAppendRequest } from '../log/index.ts';
import { encodeBigintArray, encodeIntegerArray, encodeSha256Array, encodeTextArray } from './binary-array.ts';
import { chunkArrays } from './chunk-store.ts';
import { requireSameRows, type PackedBody } from './stored-chunk.ts';

interface AppendRow {
  readonly outcome: string;
  readonly message: string | null;
  readonly first: number;
  readonly last: number;
  readonly recorded_at: number;
  readonly hash: Buffer;
  readonly epoch: number;
  readonly duplicate: boolean;
  readonly clock: number;
  readonly previous: Buffer;
}

const arrays = (from: number): string =>
  ['text', 'integer', 'integer', 'text', 'bigint', 'integer', 'text', 'text', 'bytea']
    .map((type, index) => `$${from + index}::${type}[]`)
    .join(', ');

const statements = {
  append: `select (r).* from (select distilog.append($1, $2, $3, $4, $5, ${arrays(6)}, $15::bytea[], $16::text[], $17::bigint[], $18::bytea[]) offset 0) as q (r)`,
  take_over: `select (r).* from (select distilog.take_over($1, $2, $3, $4, $5, ${arrays(6)}) offset 0) as q (r)`,
  create_run: `select (r).* from (select distilog.create_run($1, $2, $3, ${arrays(4)}) offset 0) as q (r)`,
} as const;

type StatementName = keyof typeof statements;

/**
 * Calls one of the SQL functions that append, as a named prepared statement, and compares the returned hash with the request's own. A refusal is a result.
 * Throws `Fault('hash-mismatch')`, `Fault('chunk-corrupted')` if an inline chunk is stored with other rows, and the errors of `pg`.
 */
export async function callAppend(client: pg.ClientBase, name: StatementName, request: DriverAppendRequest): Promise<AppendResult> {
  const leaves = request.leaves ?? request.events.map(leafHash);
  for (let brings = request.brings ?? []; ; ) {
    try {
      const row = await runStatement(client, name, { ...request, brings }, leaves);
      if (row.outcome === 'ok') return toResult(request, leaves, row);
      if (row.outcome !== 'chunks-differ')
        return { ok: false, code: row.outcome as AppendRefusal['code'], message: row.message ?? '', epoch: row.epoch };
      // Chunks with the same rows are already stored. The append still names them.
      const differing = new Set(row.message?.split(','));
      await requireSameRows([...differing], (addresses) => readStoredChunks(client, addresses));
      brings = brings.filter(({ sha256 }) => !differing.has(sha256));
    } catch (error) {
      if (hasCode(error, storedOtherwise)) throw hashMismatch(request.logId, messageOf(error), error);
      const refused = toRefusal(error as pg.DatabaseError);
      if (refused) return refused;
      throw error;
    }
  }
}

/** SQLSTATE of an append that would be stored with other hashes than it was sent with. */
const storedOtherwise = 'DL001';

async function runStatement(
  client: pg.ClientBase,
  name: StatementName,
  { events, logId, epoch, appendId, expectedHash, writer, brings = [] }: DriverAppendRequest,
  leaves: readonly Sha256[],
): Promise<AppendRow> {
  const columns = [
    encodeTextArray(events.map(({ type }) => type)),
    encodeIntegerArray(events.map(({ version }) => version)),
    encodeIntegerArray(events.map(({ pass }) => pass)),
    encodeTextArray(events.map(({ step }) => step)),
    encodeBigintArray(events.map(({ batch }) => batch)),
    encodeIntegerArray(events.map(({ attempt }) => attempt)),
    encodeTextArray(events.map(({ chunks }) => chunks.join(','))),
    encodeTextArray(events.map(({ data }) => data)),
    encodeSha256Array(leaves),
  ];
  const expected = expectedHash === null ? null : Buffer.from(expectedHash, 'hex');
  const values = name === 'create_run' ? [logId, appendId, writer, ...columns] : [logId, epoch, appendId, expected, writer, ...columns];
  if (name === 'append') {
    const { addresses, codecs, lengths, bodies } = chunkArrays(brings);
    values.push(addresses, codecs, lengths, bodies);
  }
  const { rows } = await client.query<AppendRow>({ name: `distilog_${name}`, text: statements[name], values });
  const [row] = rows;
  if (!row) throw new Fault('database-error', 'PostgreSQL returned no result for an append.');
  return row;
}

function toResult(request: DriverAppendRequest, leaves: readonly Sha256[], row: AppendRow): AppendResult {
  const { first, last, recorded_at: recordedAt, clock, epoch, duplicate } = row;
  const hash = row.hash.toString('hex');
  requireSameHash(request, leaves, { previous: row.previous.toString('hex'), first, last, recordedAt, clock, epoch, hash });
  return { ok: true, first, last, duplicate, epoch, hash, recordedAt: formatInstant(recordedAt) };
}

/** Reads the chunk stored under each address, or undefined. */
async function readStoredChunks(client: pg.ClientBase, addresses: readonly string[]): Promise<readonly (PackedBody | undefined)[]> {
  const { rows } = await client.query<PackedBody & { readonly sha256: Buffer }>(
    'select sha256, codec, length, body from distilog.chunks where sha256 = any($1::bytea[])',
    [encodeSha256Array(addresses)],
  );
  const found = new Map(rows.map(({ sha256, ...stored }) => [sha256.toString('hex'), stored]));
  return addresses.map((address) => found.get(address));
}

/** Returns the refusal for a database error that the events themselves cause, or null. Nothing was stored, and a retry would fail again. */
function toRefusal({ code = '', constraint = '', message }: Partial<pg.DatabaseError>): AppendRefusal | null {
  const refusal = (as: AppendRefusal['code']): AppendRefusal => ({ ok: false, code: as, message: message ?? '', epoch: null });
  if (code === '23505' && (constraint === 'events_one_success' || constraint === 'events_one_end')) return refusal('already-recorded');
  if (code === '23503') return refusal('unknown-chunk');
  if (code.startsWith('22') || code.startsWith('23')) return refusal('invalid-event');
  return null;
}
