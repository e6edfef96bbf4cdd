import { checkWorld } from '../unit/scheduler/check-world.ts';
import type { Area } from './area.ts';

const sayEvery = 1_000;

/** Runs the scheduler alone, with a fake clock and fake workers: every operator, crash, pause and pass at thousands of events a second. */
export const simulator: Area = {
  name: 'simulator',
  does: 'drives random pipelines of every operator through a pure scheduler that is killed, paused and reopened',
  run: async ({ seed, seeds, say }) => {
    const sums = { worlds: 0, events: 0, crashes: 0, passes: 0, breaks: 0 };
    for (let world = seed; world < seed + seeds; world++) {
      const { events, crashes, passes, breaks } = checkWorld(world);
      sums.worlds++;
      sums.events += events;
      sums.crashes += crashes;
      sums.passes += passes;
      sums.breaks += breaks;
      if (sums.worlds % sayEvery === 0) say(`${sums.worlds} worlds`);
    }
    return sums;
  },
};
