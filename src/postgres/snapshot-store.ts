import type { Insertable, Kysely } from 'kysely';
import { canonicalJson } from '#kit/json';
import type { SnapshotKey, SnapshotStore } from '#log';
import type { Database } from './database.ts';
import { Gathered } from './gathered.ts';
import type { Reader } from './reader.ts';

/** Snapshots in a statement, and the characters of their states together. */
const savedMax = 64;
const savedWeightMax = 4 * 1024 * 1024;

type Row = Insertable<Database['distilog.snapshots']>;

/** Snapshots on PostgreSQL. Those that are saved at about the same time are written by one statement. */
export function postgresSnapshots({ query }: Reader): SnapshotStore {
  const where = ({ logId, projection, version, fingerprint }: SnapshotKey) => ({ log_id: logId, projection, version, fingerprint });
  const saves = new Gathered<Row, void>((rows) => query((database) => saveAll(database, rows)), {
    runningMax: 1,
    countMax: savedMax,
    weightMax: savedWeightMax,
    weightOf: ({ state }) => state.length,
  });
  return {
    nearest: (key, position) =>
      query(async (database) => {
        const row = await database
          .selectFrom('distilog.snapshots')
          .select(['position', 'state'])
          .where((compare) => compare.and(where(key)))
          .where('position', '<=', position)
          .orderBy('position', 'desc')
          .limit(1)
          .executeTakeFirst();
        return row ? { position: row.position, state: JSON.parse(row.state) as unknown } : null;
      }),
    save: async (key, { position, state }) => saves.add({ ...where(key), position, state: canonicalJson(state) }),
    positions: (key) =>
      query(async (database) => {
        const rows = await database
          .selectFrom('distilog.snapshots')
          .select('position')
          .where((compare) => compare.and(where(key)))
          .orderBy('position')
          .execute();
        return rows.map(({ position }) => position);
      }),
    drop: (logId) =>
      query(async (database) => {
        const { numDeletedRows } = await database.deleteFrom('distilog.snapshots').where('log_id', '=', logId).executeTakeFirst();
        return Number(numDeletedRows);
      }),
  };
}

/** Rows in, each with nothing as its result. */
async function saveAll(database: Kysely<Database>, rows: readonly Row[]): Promise<readonly void[]> {
  // One statement may not write a row twice: the later state of a place counts.
  const places = new Map(rows.map((row) => [[row.log_id, row.projection, row.version, row.fingerprint, row.position].join('\n'), row]));
  await database
    .insertInto('distilog.snapshots')
    .values([...places.values()])
    .onConflict((conflict) => conflict.constraint('snapshots_pkey').doUpdateSet(({ ref }) => ({ state: ref('excluded.state') })))
    .execute();
  return rows.map(() => undefined);
}
