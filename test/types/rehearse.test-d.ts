// The parameters and results of `rehearse`. Checked by `tsc`; nothing here runs.
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { pipeline, type ReadContext } from '../../src/pipeline/index.ts';
import { rehearse } from '../../src/testing/index.ts';

const twice = pipeline('twice', { params: z.object({ limit: z.int().default(3) }) }, ({ source }) => {
  const numbers = source('numbers', { output: z.object({ n: z.int() }), rows: [] });
  const doubled = numbers.map('doubled', { output: z.object({ label: z.enum(['a', 'b']) }), run: () => ({ label: 'a' }) });
  return { numbers, doubled: doubled.select('only', ['label']) };
});

const { rows, steps, rejected } = await rehearse(twice, { params: { limit: 1 }, take: 2 });
expectTypeOf(rows.numbers).toEqualTypeOf<readonly { n: number }[]>();
expectTypeOf(rows.doubled).toEqualTypeOf<readonly { label: 'a' | 'b' }[]>();
expectTypeOf(rejected[0]?.code).toEqualTypeOf<string | undefined>();
expectTypeOf(steps['numbers']?.[0]?.['n']).not.toBeAny();

// @ts-expect-error no node is returned under this name
void rows.other;
// @ts-expect-error a param of another type
void rehearse(twice, { params: { limit: 'many' } });
// @ts-expect-error a param that the pipeline does not have
void rehearse(twice, { params: { other: 1 } });

// A stub names the columns that it reads; a source's may be rows.
void rehearse(twice, { stubs: { doubled: ({ n }: { n: number }) => ({ label: n > 1 ? 'a' : 'b' }), numbers: [{ n: 1 }] } });
void rehearse(twice, { stubs: { doubled: async (row, { attempt, signal }) => ({ label: [row['n'], attempt, signal.aborted] }) } });
void rehearse(twice, { stubs: { doubled: ({ n }) => ({ label: n }), numbers: ({ offset }: ReadContext) => [{ n: offset }] } });
// @ts-expect-error neither a function nor rows
void rehearse(twice, { stubs: { doubled: 7 } });

// A definition that returns nothing has no names.
const nameless = pipeline('nameless', ({ source }) => {
  source('numbers', { output: z.object({ n: z.int() }), rows: [] });
});
expectTypeOf((await rehearse(nameless)).rows).toEqualTypeOf<{}>();
