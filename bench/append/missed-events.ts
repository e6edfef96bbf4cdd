import { ownName } from '../area.ts';
import { importPeer } from '../peers.ts';
import type { BenchServer } from '../server.ts';
import { tail, type TailedLog } from '../../test/storm/order/tail.ts';
import { emmettLog, ownLog } from '../../test/storm/order/tailed-logs.ts';

const writers = 16;
const appends = 100;
const quickAppends = 10;

/** Opens logs that the reader of `test/storm/order` can follow, by name of the contestant. */
const readableLogs: Readonly<
  Record<string, (server: BenchServer) => Promise<{ readonly log: TailedLog; readonly drop: () => Promise<void> }>>
> = {
  [ownName]: async (server) => {
    const database = await server.database('tail');
    await database.store();
    return { log: await ownLog(database.connect), drop: database.drop };
  },
  Emmett: async (server) => {
    const database = await server.database('tail');
    return { log: await emmettLog(await importPeer('@event-driven-io/emmett-postgresql'), database.url), drop: database.drop };
  },
};

/** Counts acknowledged events that a reader following 16 writers never sees. Returns undefined for a contestant without such a reader. */
export async function countMissedEvents(server: BenchServer, name: string, isQuick: boolean): Promise<string | undefined> {
  const opened = await readableLogs[name]?.(server);
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
