import { z } from 'zod';
import { pipeline, type Pipeline } from '../../src/pipeline/index.ts';
import { pause } from '../../src/kit/pause.ts';

/** Rows in a batch, of ours and of everybody who has batches. */
export const batchSize = 1_000;

/** About 120 bytes, another one for each number. */
export const textOf = (n: number): string => `row ${n} ${'lorem ipsum '.repeat(10)}`;

/** Whether the last step keeps a row: nine of ten. */
export const isKept = (n: number): boolean => n % 10 !== 0;

/** How many rows come out where so many go in. */
export const keptOf = (rows: number): number => rows - Math.ceil(rows / 10);

/** How many rows have to go in, so that so many come out. */
export const neededFor = (kept: number): number => kept + Math.ceil(kept / 9);

/** Numbers, through three steps that cost nothing: a text, its length, nine of ten. */
export const trivial = (rows: number): Pipeline =>
  pipeline('trivial', ({ source }) => {
    source('all', {
      output: z.object({ n: z.int() }),
      batchSize,
      read: function* ({ offset }) {
        for (let n = offset; n < rows; n++) yield { n };
      },
    })
      .map('text', { output: z.object({ text: z.string() }), run: ({ n }) => ({ text: textOf(n) }) })
      .map('length', { output: z.object({ length: z.int() }), run: ({ text }) => ({ length: text.length }) })
      .filter('most', { keep: ({ n }) => isKept(n) });
  });

/** How long a call takes, and how many are in flight: a model that is asked. */
export const callMs = 20;
export const callsInFlight = 100;

/** Calls that take their time, with all options as they come but the one that everybody sets. */
export const calls = (count: number): Pipeline =>
  pipeline('calls', ({ source }) => {
    source('prompts', {
      output: z.object({ n: z.int() }),
      read: function* ({ offset }) {
        for (let n = offset; n < count; n++) yield { n };
      },
    }).map('answer', { output: z.object({ answer: z.string() }), run: ({ n }) => call(n) }, { concurrency: callsInFlight });
  });

/** One call. */
export async function call(n: number): Promise<{ readonly answer: string }> {
  await pause(callMs);
  return { answer: textOf(n) };
}

/** Milliseconds that the call for a row takes in a step: 300 at least, about 700 in the mean, 18,000 at most. The same for every contestant. */
export function latencyMs(n: number, step = 0): number {
  const share = (((n + step * 7_919) * 2_654_435_761) % 4_294_967_296) / 4_294_967_296;
  return Math.min(20_000, 300 / (1 - share * 0.999) ** 0.6);
}

/** A model's answer of some 350 bytes. */
export const answerOf = (n: number): string => `${'answer '.repeat(50)}${n}`;

/** Calls whose latency has a heavy tail, in one step or several: `options` are calls in flight by step, rows in a batch, and steps. */
export const heavyTail = (rows: number, [inFlight = 200, rowsOfBatch = 100, steps = 1]: readonly number[]): Pipeline =>
  pipeline('heavy-tail', ({ source }) => {
    const first = source('prompts', {
      output: z.object({ n: z.int() }),
      batchSize: rowsOfBatch,
      read: function* ({ offset }) {
        for (let n = offset; n < rows; n++) yield { n };
      },
    }).map('answer', { output: z.object({ answer: z.string() }), run: ({ n }) => slowAnswer(n, 0) }, { concurrency: inFlight });
    if (steps === 1) return;
    first
      .replace('again', { output: z.object({ answer: z.string() }), run: ({ n }) => slowAnswer(n, 1) }, { concurrency: inFlight })
      .replace('once more', { output: z.object({ answer: z.string() }), run: ({ n }) => slowAnswer(n, 2) }, { concurrency: inFlight });
  });

async function slowAnswer(n: number, step: number): Promise<{ readonly answer: string }> {
  await pause(latencyMs(n, step));
  return { answer: answerOf(n) };
}
