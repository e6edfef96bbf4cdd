import { z } from 'zod';
import { pipeline, type Pipeline } from '../../src/pipeline/index.ts';
import { pause } from '../../src/kit/pause.ts';

/** Rows in a batch, for every contestant that has batches. */
export const batchSize = 1_000;

/** Returns a text of about 120 bytes, different for each number. */
export const textOf = (n: number): string => `row ${n} ${'lorem ipsum '.repeat(10)}`;

/** Returns whether the last step keeps a row. It keeps nine of ten. */
export const isKept = (n: number): boolean => n % 10 !== 0;

/** Returns the number of output rows for a number of input rows. */
export const keptOf = (rows: number): number => rows - Math.ceil(rows / 10);

/** Returns the number of input rows for a number of output rows. */
export const neededFor = (kept: number): number => kept + Math.ceil(kept / 9);

/** Returns a pipeline of numbers and three trivial steps: add a text, add its length, keep nine of ten. */
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

/** Duration of a model-like call, and the number of calls in flight. */
export const callMs = 20;
export const callsInFlight = 100;

/** Returns a pipeline of slow calls, with default options except `concurrency`, which every user sets. */
export const calls = (count: number): Pipeline =>
  pipeline('calls', ({ source }) => {
    source('prompts', {
      output: z.object({ n: z.int() }),
      read: function* ({ offset }) {
        for (let n = offset; n < count; n++) yield { n };
      },
    }).map('answer', { output: z.object({ answer: z.string() }), run: ({ n }) => call(n) }, { concurrency: callsInFlight });
  });

/** Makes one slow call. */
export async function call(n: number): Promise<{ readonly answer: string }> {
  await pause(callMs);
  return { answer: textOf(n) };
}

/** Returns the milliseconds of a row's call in a step: at least 300, about 700 on average, at most 18,000. They are the same for every contestant. */
export function latencyMs(n: number, step = 0): number {
  const share = (((n + step * 7_919) * 2_654_435_761) % 4_294_967_296) / 4_294_967_296;
  return Math.min(20_000, 300 / (1 - share * 0.999) ** 0.6);
}

/** Returns a model-like answer of about 350 bytes. */
export const answerOf = (n: number): string => `${'answer '.repeat(50)}${n}`;

/** Returns a pipeline of calls whose latency has a heavy tail. `options`: calls in flight per step, rows in a batch, number of steps. */
export const heavyTail = (rows: number, [inFlight = 200, batchRows = 100, steps = 1]: readonly number[]): Pipeline =>
  pipeline('heavy-tail', ({ source }) => {
    const first = source('prompts', {
      output: z.object({ n: z.int() }),
      batchSize: batchRows,
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
