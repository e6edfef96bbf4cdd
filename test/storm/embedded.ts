import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { attack } from '../embedded/attack.ts';
import type { Area } from './area.ts';

/** The approximate number of injected faults per round. */
const killsPerRound = 5;

/** Kills and stops random processes of an embedded server and of its clients, while four clients write. */
export const embedded: Area = {
  name: 'embedded',
  does: 'kills and stops processes of an embedded server and of its clients, while clients write',
  run: async ({ seed, kills, say }) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-storm-'));
    const { rows, lost, doubles, strays, failures, nextMs } = await attack({ folder, rounds: Math.ceil(kills / killsPerRound), seed, say });
    fs.rmSync(folder, { recursive: true, force: true });
    if (lost + doubles + strays + failures.length > 0)
      throw new Error(`seed ${seed}: ${lost} rows lost, ${doubles} times two postmasters, ${strays} strays; ${failures.join('; ')}`);
    return { 'rows acknowledged': rows, lost, 'next client, ms at worst': nextMs.max };
  },
};
