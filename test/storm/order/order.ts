import { verify } from '../../../src/log/index.ts';
import { openPostgresStore } from '../../../src/postgres/index.ts';
import { ownServer, type OwnServer } from '../../postgres/own-server.ts';
import type { Area, Figures } from '../area.ts';
import { killerOf, tail, type TailFigures } from './tail.ts';
import { emmettLog, findEmmett, ownLog, writerName } from './tailed-logs.ts';

const writers = 16;

/** Counts the events that our tailing reader misses while writers roll back and are killed. Throws if events are out of order. */
export async function ownOrder(server: OwnServer, seed: number, appends: number): Promise<TailFigures> {
  const log = await ownLog(server.app);
  const store = await openPostgresStore(server.app);
  try {
    const figures = await tail(log, { seed, writers, appends, kill: killerOf(server.owner(), writerName) });
    const { firstBad } = await verify(store, log.logId);
    if (firstBad) throw new Error(`seed ${seed}: position ${firstBad.position}: ${firstBad.reason}`);
    return figures;
  } finally {
    await Promise.all([log.close(), store.close()]);
  }
}

/** Attacks a log whose reader is known to miss events, or returns null if it is not installed. It kills no writer, because that reader misses events without kills. */
export async function controlOrder(server: OwnServer, seed: number, appends: number): Promise<TailFigures | null> {
  const emmett = await findEmmett();
  if (!emmett) return null;
  const { host = '', database } = server.owner();
  const log = await emmettLog(emmett, `postgres://postgres@localhost/${database}?host=${encodeURIComponent(host)}`);
  try {
    return await tail(log, { seed, writers, appends });
  } finally {
    await log.close();
  }
}

/** Checks that a log has one order: a reader that passed a position never reads a new event at or below it later. */
export const order: Area = {
  name: 'order',
  does: 'tails a log of many writers, with rollbacks and kills, and a log that is known to lose events',
  run: async ({ seed, seeds, say }) => {
    const server = await ownServer();
    const own: TailFigures[] = [];
    const control: TailFigures[] = [];
    try {
      for (let world = seed; world < seed + Math.ceil(seeds / 10); world++) {
        const figures = await ownOrder(server, world, 100);
        own.push(figures);
        if (figures.missed + figures.wrong + figures.refused > 0) throw new Error(`seed ${world}: ${JSON.stringify(figures)}`);
        const other = await controlOrder(server, world, 100);
        if (other) control.push(other);
      }
    } finally {
      await server.remove();
    }
    if (control.length === 0) say('  without npm ci --prefix test/storm/order/control nothing shows that this attack finds lost events');
    else if (sum(control).missed === 0) throw new Error(`seed ${seed}: the control lost nothing, so the attack is too weak`);
    const { acknowledged, missed, kills } = sum(own);
    const other = sum(control);
    return {
      acknowledged,
      missed,
      kills,
      ...(control.length === 0
        ? { control: 'not installed' }
        : { 'control: acknowledged': other.acknowledged, 'control: missed': other.missed }),
    } satisfies Figures;
  },
};

function sum(all: readonly TailFigures[]): TailFigures {
  const of = (what: keyof TailFigures) => all.reduce((total, figures) => total + figures[what], 0);
  return { acknowledged: of('acknowledged'), missed: of('missed'), wrong: of('wrong'), refused: of('refused'), kills: of('kills') };
}
