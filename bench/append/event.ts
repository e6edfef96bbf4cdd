import type { NewEvent } from '../../schema/index.ts';
import { encodeEvent } from '../../src/log/index.ts';

/** Returns the end of a batch as a pipeline of model calls records it. The batch must not have ended yet. */
export const batchSucceeded = (batch: number, chunks: readonly string[]): NewEvent => ({
  type: 'BatchSucceeded',
  pass: 1,
  step: 'doubled',
  batch,
  attempt: 1,
  chunks,
  data: {
    inputs: [{ step: 'all', pass: 1, from: [41, 0], to: [41, 50] }],
    rowsIn: 50,
    rows: 49,
    chunkRows: [49],
    bytes: 61_204,
    rejected: {
      count: 1,
      codes: { 'invalid-answer': 1 },
      rows: [{ row: 17, code: 'invalid-answer', message: 'title: expected a string', attempts: 3 }],
      inChunk: false,
    },
    elapsedMs: 4_213.8,
    usage: [
      {
        model: 'llama-3.3-70b-instruct',
        calls: 52,
        inputTokens: 41_380,
        outputTokens: 12_907,
        cachedTokens: 0,
        reasoningTokens: 0,
        costUsd: 0.031_27,
        thrownAway: { calls: 2, inputTokens: 1_591, outputTokens: 496, costUsd: 0.001_2 },
      },
    ],
    calls: 0,
    source: null,
    undeclared: [],
    missing: [],
  },
});

/** The data of that event as distilog stores it. Every contestant stores the same. */
export const eventData: string = encodeEvent(batchSucceeded(0, [])).data;
