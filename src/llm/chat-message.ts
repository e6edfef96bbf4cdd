import { z } from 'zod';

/** The zod schema of a message. */
export type ChatMessageSchema = z.ZodObject<{
  role: z.ZodEnum<{ system: 'system'; user: 'user'; assistant: 'assistant' }>;
  content: z.ZodString;
}>;

/** The zod schema of a message. */
export const chatMessageSchema: ChatMessageSchema = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });

/** A message of a conversation. */
export type ChatMessage = z.output<ChatMessageSchema>;

/** Returns the messages of a request: the system prompt, if there is one, and the user's text. */
export const askedBy = (user: string, system: string | null): readonly ChatMessage[] =>
  system === null
    ? [{ role: 'user', content: user }]
    : [
        { role: 'system', content: system },
        { role: 'user', content: user },
      ];
