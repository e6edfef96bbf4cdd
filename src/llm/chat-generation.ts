import { z } from 'zod';
import type { JsonObject } from '../kit/json.ts';
import { NonRetryableError, type MapStep } from '../pipeline/index.ts';
import { callModel } from './call-model.ts';
import { pickCallSettings, type CallSettings } from './call-settings.ts';
import { chatMessageSchema, type ChatMessage } from './chat-message.ts';
import { buildGeneration, parseGenerationCount, type Generated, type Written } from './generated.ts';
import { toLanguageModel, type AnyModel } from './language-model.ts';
import { modelStep } from './model-step.ts';

/** Options of `chatGeneration`. */
export interface ChatGenerationOptions<N extends number = number> extends CallSettings {
  readonly model: AnyModel;
  /** Number of answers per row, requested concurrently. Default 1. */
  readonly numGenerations?: Written<N> | undefined;
}

/** Rows with a conversation. */
export type ChatRow = { readonly messages: readonly ChatMessage[] };

const messagesSchema = z.array(chatMessageSchema).min(1);

/** Continues each row's `messages`, which must end with a user's message. Adds `modelName` and `generation`, or `generations` with `numGenerations` above 1. */
export function chatGeneration<const N extends number = 1>(options: ChatGenerationOptions<N>): MapStep<ChatRow, Generated<N>> {
  const model = toLanguageModel(options.model);
  const settings = pickCallSettings(options);
  const count = parseGenerationCount(options.numGenerations);
  return modelStep({
    id: 'distilog/chat-generation',
    version: 1,
    input: z.object({ messages: messagesSchema }),
    settings: { model: model.settings, ...settings, numGenerations: count },
    ...buildGeneration(model, count, async (row, context, index) =>
      callModel(model, context, { messages: readConversation(row), settings, index }, ({ text }) => text),
    ),
  });
}

function readConversation(row: JsonObject): readonly ChatMessage[] {
  const { success, data, error } = messagesSchema.safeParse(row['messages']);
  const invalidInput = (why: string) => new NonRetryableError(`Column messages ${why}`, { code: 'invalid-input' });
  if (!success) throw invalidInput(`is not a conversation: ${z.prettifyError(error).replaceAll(/\s+/g, ' ')}`);
  if (data.at(-1)?.role !== 'user') throw invalidInput('must end with a message of the user, because the model answers it.');
  return data;
}
