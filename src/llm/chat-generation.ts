import { z } from 'zod';
import type { JsonObject } from '../kit/json.ts';
import { NonRetryableError, type MapStep } from '../pipeline/index.ts';
import { callModel } from './call-model.ts';
import { callSettings, type CallSettings } from './call-settings.ts';
import { chatMessageSchema, type ChatMessage } from './chat-message.ts';
import { generated, generationCount, type Generated, type Written } from './generated.ts';
import { languageModelOf, type AnyModel } from './language-model.ts';
import { modelStep } from './model-step.ts';

/** What conversations are continued with. */
export interface ChatGenerationOptions<N extends number = number> extends CallSettings {
  readonly model: AnyModel;
  /** Answers to each row, from 1, asked for at the same time. Default 1. */
  readonly numGenerations?: Written<N> | undefined;
}

/** Rows that bring a conversation. */
export type ChatRow = { readonly messages: readonly ChatMessage[] };

const messagesSchema = z.array(chatMessageSchema).min(1);

/** A model's next message in each row's `messages`, the last of which is the user's: `generation`, or `generations`, and `modelName`. */
export function chatGeneration<const N extends number = 1>(options: ChatGenerationOptions<N>): MapStep<ChatRow, Generated<N>> {
  const model = languageModelOf(options.model);
  const settings = callSettings(options);
  const count = generationCount(options.numGenerations);
  return modelStep({
    id: 'distilog/chat-generation',
    version: 1,
    input: z.object({ messages: messagesSchema }),
    settings: { model: model.settings, ...settings, numGenerations: count },
    ...generated(model, count, async (row, context, index) =>
      callModel(model, context, { messages: conversationOf(row), settings, index }, ({ text }) => text),
    ),
  });
}

function conversationOf(row: JsonObject): readonly ChatMessage[] {
  const { success, data, error } = messagesSchema.safeParse(row['messages']);
  const refused = (why: string) => new NonRetryableError(`Column messages ${why}`, { code: 'invalid-input' });
  if (!success) throw refused(`is no conversation: ${z.prettifyError(error).replaceAll(/\s+/g, ' ')}`);
  if (data.at(-1)?.role !== 'user') throw refused('must end with a message of the user: that is what a model answers.');
  return data;
}
