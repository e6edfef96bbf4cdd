import { canonicalJson } from '#kit/json';
import type { SnapshotKey, SnapshotStore } from '#log';
import type { Reader } from './reader.ts';

/** Snapshots on PostgreSQL. */
export function postgresSnapshots({ query }: Reader): SnapshotStore {
  const where = ({ logId, projection, version, fingerprint }: SnapshotKey) => ({ log_id: logId, projection, version, fingerprint });
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
    save: async (key, { position, state }) => {
      const text = canonicalJson(state);
      await query((database) =>
        database
          .insertInto('distilog.snapshots')
          .values({ ...where(key), position, state: text })
          .onConflict((conflict) => conflict.constraint('snapshots_pkey').doUpdateSet({ state: text }))
          .execute(),
      );
    },
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
