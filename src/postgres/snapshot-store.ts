import { sql, type Kysely } from 'kysely';
import type { FaultCode } from '../faults/index.ts';
import { codeOf, Fault, messageOf } from '../kit/fault.ts';
import {
  explainUnnamed,
  type FoundSnapshot,
  type Snapshot,
  type SnapshotKey,
  type SnapshotStore,
  type StoredSnapshot,
} from '../log/index.ts';
import { encodeBigintArray, encodeIntegerArray, encodeTextArray } from './binary-array.ts';
import type { Database } from './database.ts';
import { Coalescer } from './coalescer.ts';
import type { Reader } from './reader.ts';

/** Snapshots per statement, and the total characters of their states. */
const storedMax = 64;
const storedWeightMax = 4 * 1024 * 1024;
/** Snapshots per page when all snapshots of a key are read. */
const pageSize = 16;

type Row = SnapshotKey & StoredSnapshot;

/** Returns the snapshot store on PostgreSQL. Writes concurrent snapshots with one statement. */
export function postgresSnapshots({ query }: Reader): SnapshotStore {
  const puts = new Coalescer<Row, void>((rows) => query((database) => storeAll(database, rows)), {
    runningMax: 1,
    countMax: storedMax,
    weightMax: storedWeightMax,
    weightOf: ({ state }) => state.length,
  });
  return {
    nearest: async (wanted) => {
      const accepted: (Snapshot | null)[] = wanted.map(() => null);
      let open: readonly OpenLook[] = wanted.map((key, index) => ({ index, key, from: { position: key.position, namedAt: positionMax } }));
      // The log names the first snapshot in almost all cases. Otherwise the store is searched in pages.
      for (let limit = 1; open.length > 0; limit = pageSize) {
        const looks = open;
        const rows = await query((database) => selectNearest(database, looks, limit));
        const pages = Map.groupBy(rows, ({ look }) => look);
        open = looks.flatMap((look, number) => {
          const page = pages.get(number) ?? [];
          const named = page.map(toFoundSnapshot).find((each) => explainUnnamed(look.key, each) === null);
          if (named) accepted[look.index] = { position: named.position, state: JSON.parse(named.state) as unknown };
          const last = page.at(-1);
          if (named || !last || page.length < limit) return [];
          return [{ ...look, from: { position: last.position, namedAt: last.named_at } }];
        });
      }
      return accepted;
    },
    put: async (snapshots) => {
      await Promise.all(snapshots.map((row) => puts.add(row)));
    },
    keys: (logId) =>
      query(async (database) => {
        const rows = await database
          .selectFrom('distilog.snapshots')
          .select(['projection', 'version', 'fingerprint'])
          .distinct()
          .where('log_id', '=', logId)
          .execute();
        return rows.map((row) => ({ logId, ...row }));
      }),
    stored: async function* (key) {
      let after = { position: 0, namedAt: -1 };
      for (;;) {
        const { position, namedAt } = after;
        const page = await query((database) =>
          selectOf(database, key)
            .where(sql<boolean>`(s.position, s.named_at) > (${position}, ${namedAt})`)
            .orderBy('s.position')
            .orderBy('s.named_at')
            .limit(pageSize)
            .execute(),
        );
        if (page.length > 0) yield page.map(toFoundSnapshot);
        const last = page.at(-1);
        if (!last || page.length < pageSize) return;
        after = { position: last.position, namedAt: last.named_at };
      }
    },
  };
}

/** A search for the newest snapshot of a key below a place (position, namedAt), and its index among the wanted ones. */
interface OpenLook {
  readonly index: number;
  readonly key: SnapshotKey;
  readonly from: { readonly position: number; readonly namedAt: number };
}

const positionMax = Number.MAX_SAFE_INTEGER;

/** Selects the newest snapshots of each search, each with the event that should name it. */
async function selectNearest(
  database: Kysely<Database>,
  looks: readonly OpenLook[],
  limit: number,
): Promise<readonly (FoundRow & { readonly look: number })[]> {
  const { rows } = await sql<FoundRow & { readonly look: number }>`
    select (w.look - 1)::integer as look, s.position, s.named_at, s.state, e.type, e.version, e.data
    from unnest(
      ${encodeTextArray(looks.map(({ key }) => key.logId))}::text[], ${encodeTextArray(looks.map(({ key }) => key.projection))}::text[],
      ${encodeIntegerArray(looks.map(({ key }) => key.version))}::integer[], ${encodeTextArray(looks.map(({ key }) => key.fingerprint))}::text[],
      ${encodeBigintArray(looks.map(({ from }) => from.position))}::bigint[], ${encodeBigintArray(looks.map(({ from }) => from.namedAt))}::bigint[]
    ) with ordinality as w (log_id, projection, version, fingerprint, position, named_at, look)
    cross join lateral (
      select n.position, n.named_at, n.state
      from ${sql.table('distilog.snapshots')} n
      where n.log_id = w.log_id and n.projection = w.projection and n.version = w.version and n.fingerprint = w.fingerprint
        and (n.position, n.named_at) < (w.position, w.named_at)
      order by n.position desc, n.named_at desc
      limit ${limit}
    ) s
    left join ${sql.table('distilog.events')} e on e.log_id = w.log_id and e.position = s.named_at
    order by w.look, s.position desc, s.named_at desc`.execute(database);
  return rows;
}

/** Selects the snapshots of a key, each with the event that should name it. */
const selectOf = (database: Kysely<Database>, { logId, projection, version, fingerprint }: SnapshotKey) =>
  database
    .selectFrom('distilog.snapshots as s')
    .leftJoin('distilog.events as e', (join) => join.onRef('e.log_id', '=', 's.log_id').onRef('e.position', '=', 's.named_at'))
    .select(['s.position', 's.named_at', 's.state', 'e.type', 'e.version', 'e.data'])
    .where('s.log_id', '=', logId)
    .where('s.projection', '=', projection)
    .where('s.version', '=', version)
    .where('s.fingerprint', '=', fingerprint);

interface FoundRow {
  readonly position: number;
  readonly named_at: number;
  readonly state: string;
  readonly type: string | null;
  readonly version: number | null;
  readonly data: string | null;
}

const toFoundSnapshot = ({ position, named_at, state, type, version, data }: FoundRow): FoundSnapshot => ({
  position,
  namedAt: named_at,
  state,
  naming: type === null || version === null || data === null ? null : { type, version, data },
});

/** Fault codes for refusals of the SQL function that stores snapshots, by SQLSTATE. */
const refusals: Readonly<Record<string, FaultCode>> = { '23503': 'snapshot-not-named', '23505': 'snapshot-differs' };

/** Stores rows and returns an empty result for each. */
async function storeAll(database: Kysely<Database>, rows: readonly Row[]): Promise<readonly void[]> {
  try {
    await sql`select distilog.store_snapshots(
      ${encodeTextArray(rows.map(({ logId }) => logId))}::text[], ${encodeTextArray(rows.map(({ projection }) => projection))}::text[],
      ${encodeIntegerArray(rows.map(({ version }) => version))}::integer[], ${encodeTextArray(rows.map(({ fingerprint }) => fingerprint))}::text[],
      ${encodeBigintArray(rows.map(({ position }) => position))}::bigint[], ${encodeBigintArray(rows.map(({ namedAt }) => namedAt))}::bigint[],
      ${encodeTextArray(rows.map(({ state }) => state))}::text[])`.execute(database);
  } catch (error) {
    const code = refusals[codeOf(error) ?? ''];
    throw code === undefined ? error : new Fault(code, messageOf(error), { cause: error });
  }
  return rows.map(() => undefined);
}
