import { z } from 'zod';
import { sha256 } from '../kit/sha256.ts';
import type { JsonObject } from '../kit/json.ts';
import { step, type MapStep } from '../pipeline/index.ts';
import { askedBy, chatMessageSchema, type ChatMessageSchema } from './chat-message.ts';
import { textOf } from './prompt.ts';

/** Rows with an instruction and one answer. */
export type SftRow = { readonly instruction: string; readonly generation: string; readonly systemPrompt?: string | null | undefined };

/** The columns that `toSft` adds. */
export type SftColumns = z.ZodObject<{ prompt: z.ZodString; prompt_id: z.ZodString; messages: z.ZodArray<ChatMessageSchema> }>;

const output: SftColumns = z.object({ prompt: z.string(), prompt_id: z.string(), messages: z.array(chatMessageSchema) });

/**
 * Adds the columns for supervised fine-tuning that trainers expect: `prompt`, `prompt_id` (the prompt's SHA-256) and `messages`, which end with the
 * `generation`.
 */
export function toSft(): MapStep<SftRow, SftColumns> {
  return step.map({
    id: 'distilog/to-sft',
    version: 1,
    input: z.object({ instruction: z.string(), generation: z.string(), systemPrompt: z.string().nullable().optional() }),
    output,
    run: (row) => {
      const prompt = textOf(row as JsonObject, 'instruction');
      const answer = { role: 'assistant', content: textOf(row as JsonObject, 'generation') } as const;
      return { prompt, prompt_id: sha256(prompt), messages: [...askedBy(prompt, row.systemPrompt ?? null), answer] };
    },
  }) as MapStep<SftRow, SftColumns>;
}
