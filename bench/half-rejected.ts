import { z } from 'zod';
import { NonRetryableError, pipeline, type Pipeline } from '../src/pipeline/index.ts';

/** Returns a pipeline of one step that rejects every second row, or none once it is repaired. */
export const halfRejected = (rows: number, { isRepaired }: { readonly isRepaired: boolean }): Pipeline =>
  pipeline('half-rejected', ({ source }) => {
    const numbers = source('rows', {
      output: z.object({ n: z.int(), text: z.string() }),
      batchSize: 1_000,
      read: function* ({ offset }) {
        for (let n = offset; n < rows; n++) yield { n, text: `row number ${n}` };
      },
    });
    return {
      default: numbers.map('next', {
        output: z.object({ next: z.int() }),
        run: ({ n }) => {
          if (n % 2 === 1 && !isRepaired) throw new NonRetryableError(`row ${n} is odd`, { code: 'odd' });
          return { next: n + 1 };
        },
      }),
    };
  });
