import { z } from 'zod';
import { Fault } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';
import type { Context } from '../pipeline/index.ts';
import type { LanguageModel } from './language-model.ts';

/** The columns of a step that adds one answer to each row. */
export type OneGeneration = z.ZodObject<{ generation: z.ZodString; modelName: z.ZodString }>;

/** The columns of a step that adds several answers to each row. */
export type SeveralGenerations = z.ZodObject<{ generations: z.ZodArray<z.ZodString>; modelName: z.ZodString }>;

const one: OneGeneration = z.object({ generation: z.string(), modelName: z.string() });
const several: SeveralGenerations = z.object({ generations: z.array(z.string()), modelName: z.string() });

/** The columns of a step that adds one or several answers to each row. */
export type Generated<N extends number> = N extends 1 ? OneGeneration : SeveralGenerations;

/** A number literal, so that the columns of a step follow from its type. */
export type Written<N extends number> = N & (number extends N ? never : unknown);

/** Maximum number of answers to one row. */
const generationsMax = 1_000;

/** Returns the number of answers per row. Throws `Fault('invalid-pipeline')` if it is out of range. */
export function parseGenerationCount(given: number | undefined): number {
  const count = given ?? 1;
  if (Number.isInteger(count) && count >= 1 && count <= generationsMax) return count;
  throw new Fault('invalid-pipeline', `numGenerations must be a whole number from 1 to ${generationsMax}, and is ${String(given)}.`);
}

/** Builds the output and the function of a step that adds one or several answers to each row. */
export function buildGeneration(
  model: LanguageModel,
  count: number,
  generate: (row: JsonObject, context: Context, index: number) => Promise<string>,
): { readonly output: OneGeneration; readonly run: (row: JsonObject, context: Context) => Promise<z.output<OneGeneration>> } {
  const modelName = model.id;
  if (count === 1) return { output: one, run: async (row, context) => ({ generation: await generate(row, context, 0), modelName }) };
  const run = async (row: JsonObject, context: Context) => {
    // All of them are waited for, whatever becomes of one: each is reported, and kept for the row's next attempt, before the row is settled.
    const settled = await Promise.allSettled(
      Array.from({ length: count }, (_, index) => context.checkpoint(`answer ${index}`, () => generate(row, context, index))),
    );
    const failed = settled.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
    return { generations: settled.map((each) => (each.status === 'fulfilled' ? each.value : null)), modelName };
  };
  return { output: several, run } as never;
}
