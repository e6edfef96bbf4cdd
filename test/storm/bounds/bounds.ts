import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { heapFlags } from '../../../src/cli/frugal-heap.ts';
import type { Area } from '../area.ts';
import { scenarios, type Measured } from './scenarios.ts';

const program = fileURLToPath(new URL('bounds-child.ts', import.meta.url));

/** The largest allowed ratio of the peak memory to that of a tenth of the rows. */
const ratioMax = 1.5;

/** Runs a scenario in a process of its own, with the heap that the command line gives itself for a run. */
export async function measured(name: string, size: number): Promise<Measured> {
  const child = spawn(process.execPath, [...heapFlags('run'), '--no-warnings', program, name, String(size)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await text(child.stdout);
  if (said === '') throw new Error(`${name} at ${size} printed nothing`);
  const figures = JSON.parse(said) as Measured;
  const rows = scenarios[name]?.rows(size);
  if (figures.rest !== 'succeeded' || figures.rows !== rows) throw new Error(`${name} at ${size}: ${said}, and should have ${rows} rows`);
  return figures;
}

/** Runs everything whose memory is promised to be bounded, at the promised size and at a tenth of it. */
export const bounds: Area = {
  name: 'bounds',
  does: 'runs large pipelines of each kind, and compares their memory with that of a tenth of the size',
  run: async ({ say }) => {
    const figures: Record<string, string> = {};
    const failures: string[] = [];
    for (const [name, { size }] of Object.entries(scenarios)) {
      const small = await measured(name, Math.ceil(size / 10));
      const large = await measured(name, size);
      const ratio = large.peakMb / small.peakMb;
      say(`${name}: ${JSON.stringify(small)} ${JSON.stringify(large)}`);
      figures[name] = `${large.peakMb} MB (${ratio.toFixed(2)} ×)`;
      if (ratio > ratioMax) failures.push(`${name} at ${size} takes ${large.peakMb} MB, and ${small.peakMb} MB at a tenth of it`);
    }
    if (failures.length > 0) throw new Error(failures.join('; '));
    return figures;
  },
};
