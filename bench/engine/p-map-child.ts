// Does the same work over arrays, and stores nothing: p-map-child.ts PIPELINE ROWS [IN-FLIGHT STEPS].
import { printMeasurement } from '../measured-process.ts';
import { answerOf, call, callsInFlight, isKept, latencyMs, textOf } from './pipelines.ts';
import { pause } from '../../src/kit/pause.ts';
import { importPeer } from '../peers.ts';

/** The part of the package that the benchmark uses. */
interface PMap {
  readonly default: <In, Out>(
    items: readonly In[],
    mapper: (item: In) => Out | Promise<Out>,
    options: { readonly concurrency: number },
  ) => Promise<readonly Out[]>;
}

const [name, rows, inFlight, steps] = process.argv.slice(2);
const { default: pMap } = await importPeer<PMap>('p-map');
const options = { concurrency: callsInFlight };
const numbers = Array.from({ length: Number(rows) }, (_, n) => ({ n }));

await printMeasurement(async () => {
  if (name === 'heavy-tail') {
    const ask = async ({ n }: { readonly n: number }) => {
      const answers: string[] = [];
      for (let step = 0; step < Number(steps); step++) {
        await pause(latencyMs(n, step));
        answers.push(answerOf(n));
      }
      return answers;
    };
    // The pipeline may have as many calls in flight in each of its steps.
    return (await pMap(numbers, ask, { concurrency: Number(inFlight) * Number(steps) })).length;
  }
  if (name === 'calls') return (await pMap(numbers, async ({ n }) => ({ n, ...(await call(n)) }), options)).length;
  const texts = await pMap(numbers, ({ n }) => ({ n, text: textOf(n) }), options);
  const lengths = await pMap(texts, (row) => ({ ...row, length: row.text.length }), options);
  const kept = await pMap(lengths, (row) => (isKept(row.n) ? [row] : []), options);
  return kept.flat(1).length;
});
