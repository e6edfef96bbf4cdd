import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../src/kit/fault.ts';
import { randomFrom } from '../../unit/random.ts';
import { openArena } from './arena.ts';
import type { Area } from '../area.ts';
import { attackRun } from './attack-run.ts';
import { Tally } from './tally.ts';
import { stormWorld } from './storm-world.ts';

/** The number of servers that are attacked concurrently, each with one run at a time. */
const lanesMax = 2;
/** The most faults that a run gets in each pass. */
const blowsMax = 9;

/** Runs of random pipelines whose processes are killed, stopped and replaced at any moment, also during recovery. */
export const kills: Area = {
  name: 'kills',
  does: 'kills runs of random pipelines, takes them over from stopped drivers, and stops their PostgreSQL immediately',
  run: async ({ seed, seeds, kills: wanted, signals, say }) => {
    const tally = new Tally();
    let next = 0;
    let failure: unknown;
    const lane = async () => {
      const arena = await openArena();
      let own = seed;
      try {
        while (tally.blows < wanted && failure === undefined) {
          const nth = next++;
          own = seed + (nth % seeds);
          const random = randomFrom(own * 7919 + nth);
          const blows = () => Math.min(1 + random.below(blowsMax), wanted - tally.blows);
          await attackRun({ arena, world: stormWorld(own), random, signals, blows, tally });
          if (nth % 10 === 9) say(`${nth + 1} runs, ${tally.blows} blows`);
        }
        await arena.close();
      } catch (error) {
        failure ??= new Error(`seed ${own}: ${messageOf(error)}\nThe store is kept: ${arena.folder}`, { cause: error });
        await arena.close({ keep: true });
      }
    };
    await Promise.all(
      Array.from({ length: Math.min(lanesMax, seeds) }, async (_, index) => {
        // Staggers the lanes, so that the servers are not created at the same moment.
        await sleep(index * 200);
        await lane();
      }),
    );
    if (failure) throw failure;
    return tally.figures();
  },
};
