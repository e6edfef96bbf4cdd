import { z } from 'zod';
import { sha256 } from '../kit/sha256.ts';
import type { JsonObject } from '../kit/json.ts';
import { NonRetryableError, step, type FilterStep, type MapStep } from '../pipeline/index.ts';
import { askedBy, chatMessageSchema, type ChatMessageSchema } from './chat-message.ts';
import { textOf } from './prompt.ts';

/** Rows with rated answers. */
export type DpoRow = {
  readonly instruction: string;
  readonly generations: readonly string[];
  readonly ratings: readonly (number | null)[];
  readonly systemPrompt?: string | null | undefined;
  /** The model of each answer. */
  readonly generationModels?: readonly string[] | undefined;
  /** The model of all answers. */
  readonly modelName?: string | undefined;
};

const messages = z.array(chatMessageSchema);
/** The columns that `toDpo` adds. */
export type DpoColumns = z.ZodObject<{
  prompt: z.ZodString;
  prompt_id: z.ZodString;
  chosen: z.ZodArray<ChatMessageSchema>;
  chosen_model: z.ZodNullable<z.ZodString>;
  chosen_rating: z.ZodNumber;
  rejected: z.ZodArray<ChatMessageSchema>;
  rejected_model: z.ZodNullable<z.ZodString>;
  rejected_rating: z.ZodNumber;
}>;

const output: DpoColumns = z.object({
  prompt: z.string(),
  prompt_id: z.string(),
  chosen: messages,
  chosen_model: z.string().nullable(),
  chosen_rating: z.number(),
  rejected: messages,
  rejected_model: z.string().nullable(),
  rejected_rating: z.number(),
});

const ratingsSchema = z.array(z.number().nullable());

/**
 * Adds the columns for preference training that trainers expect: `prompt`, `prompt_id` (the prompt's SHA-256), and as messages the answer with the highest
 * rating, `chosen`, and with the lowest, `rejected`, with their models and ratings. Among equal ratings the first answer is used. A row without two different
 * ratings is rejected with code `no-preference`. To drop such rows first, use `filter('preferred', hasPreference())`.
 */
export function toDpo(): MapStep<DpoRow, DpoColumns> {
  return step.map({
    id: 'distilog/to-dpo',
    version: 1,
    input: z.object({
      instruction: z.string(),
      generations: z.array(z.string()),
      ratings: ratingsSchema,
      systemPrompt: z.string().nullable().optional(),
      generationModels: z.array(z.string()).optional(),
      modelName: z.string().optional(),
    }),
    output,
    run: (row) => {
      const prompt = textOf(row as JsonObject, 'instruction');
      const pair = preference(row.ratings);
      if (pair === null || row.generations.length !== row.ratings.length) {
        const why =
          pair === null ? 'has no two different ratings' : `has ${row.ratings.length} ratings for ${row.generations.length} generations`;
        throw new NonRetryableError(
          `The row ${why}, so none of its answers is to be preferred. Leave such rows out by hasPreference() before.`,
          {
            code: 'no-preference',
          },
        );
      }
      const asked = askedBy(prompt, row.systemPrompt ?? null);
      const side = (index: number) => ({
        messages: [...asked, { role: 'assistant' as const, content: row.generations[index] ?? '' }],
        model: row.generationModels?.[index] ?? row.modelName ?? null,
        rating: row.ratings[index] ?? 0,
      });
      const [chosen, rejected] = [side(pair.best), side(pair.worst)];
      return {
        prompt,
        prompt_id: sha256(prompt),
        chosen: chosen.messages,
        chosen_model: chosen.model,
        chosen_rating: chosen.rating,
        rejected: rejected.messages,
        rejected_model: rejected.model,
        rejected_rating: rejected.rating,
      };
    },
  }) as MapStep<DpoRow, DpoColumns>;
}

/** Keeps the rows with two different `ratings`, from which a preference can be learnt. */
export function hasPreference(): FilterStep<Pick<DpoRow, 'ratings'>> {
  return step.filter({
    id: 'distilog/has-preference',
    version: 1,
    input: z.object({ ratings: ratingsSchema }),
    keep: ({ ratings }) => preference(ratings) !== null,
  }) as FilterStep<Pick<DpoRow, 'ratings'>>;
}

function preference(ratings: readonly (number | null)[]): { readonly best: number; readonly worst: number } | null {
  const rated = ratings.flatMap((rating, index) => (rating === null ? [] : [{ rating, index }])).sort((a, b) => b.rating - a.rating);
  const [best] = rated;
  const worst = rated.find(({ rating }) => rating === rated.at(-1)?.rating);
  return best && worst && best.rating > worst.rating ? { best: best.index, worst: worst.index } : null;
}
