import { z } from 'zod';
import { pipeline, type Pipeline } from '#pipeline';
import { pause } from '#kit/pause';

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
