import { z } from 'zod';

/** A message of a conversation. */
export const chatMessageSchema = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });

/** A message of a conversation. */
export type ChatMessage = z.output<typeof chatMessageSchema>;

/** What is asked of a model: the user's words, after the system's if there are any. */
export const askedBy = (user: string, system: string | null): readonly ChatMessage[] =>
  system === null
    ? [{ role: 'user', content: user }]
    : [
        { role: 'system', content: system },
        { role: 'user', content: user },
      ];
