import { us } from '../area.ts';
import { importPeer } from '../peers.ts';
import type { BenchServer } from '../server.ts';
import { tail, type TailedLog } from '../../test/storm/order/tail.ts';
import { emmettLog, ownLog } from '../../test/storm/order/tailed-logs.ts';

const writers = 16;
const appends = 100;
const quickAppends = 10;

/** Who can be followed by the storm's reader, by the names of the contestants. */
const followed: Readonly<
  Record<string, (server: BenchServer) => Promise<{ readonly log: TailedLog; readonly drop: () => Promise<void> }>>
> = {
  [us]: async (server) => {
    const database = await server.database('tail');
    await database.store();
    return { log: await ownLog(database.connect), drop: database.drop };
  },
  Emmett: async (server) => {
    const database = await server.database('tail');
    return { log: await emmettLog(await importPeer('@event-driven-io/emmett-postgresql'), database.url), drop: database.drop };
  },
};

/** How many acknowledged events a reader that follows 16 writers never meets; undefined where nobody has written that reader. */
export async function lostByReader(server: BenchServer, name: string, isQuick: boolean): Promise<string | undefined> {
  const opened = await followed[name]?.(server);
  if (!opened) return undefined;
  const { log, drop } = opened;
  try {
    const { missed, acknowledged } = await tail(log, { seed: 1, writers, appends: isQuick ? quickAppends : appends });
    return `${missed} of ${acknowledged}`;
  } finally {
    await log.close();
    await drop();
  }
}
