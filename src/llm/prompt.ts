import type { JsonObject } from '../kit/json.ts';
import { NonRetryableError } from '../pipeline/index.ts';
import { askedBy, type ChatMessage } from './chat-message.ts';
import { compileTemplate, quote, type PromptTemplate } from './prompt-template.ts';

/** A prompt: a Jinja template over the row's columns, or a function of the row. */
export type Prompt<Row> = string | ((row: Row) => string);

/** Builds the messages for rows. */
export interface Prompter {
  /** Columns that templates read, each with its template for the message if the column is missing. */
  readonly reads: Readonly<Record<string, string>>;
  /** The prompts, to be recorded. */
  readonly settings: JsonObject;
  /** Returns the messages for a row, and the prompt if a function made it. */
  ask(row: JsonObject): { readonly messages: readonly ChatMessage[]; readonly prompt?: string };
}

/**
 * Creates the builder of a step's messages. The user's text comes from `prompt`, or else from the column `instruction`. The system prompt is the row's
 * `systemPrompt` if that is not null, or else the template `systemPrompt` if one is given.
 */
export function createPrompter({
  prompt,
  systemPrompt,
}: {
  readonly prompt?: Prompt<never> | undefined;
  readonly systemPrompt?: string | undefined;
}): Prompter {
  const user = typeof prompt === 'string' ? compileTemplate(prompt) : null;
  const system = systemPrompt === undefined ? null : compileTemplate(systemPrompt);
  const renderUserText = (row: JsonObject): string => {
    if (user) return user.render(row);
    return typeof prompt === 'function' ? callPrompt(prompt as (row: JsonObject) => unknown, row) : textOf(row, 'instruction');
  };
  return {
    reads: { ...listReads(user), ...listReads(system) },
    settings: {
      prompt: typeof prompt === 'function' ? { function: Function.prototype.toString.call(prompt) } : (prompt ?? null),
      systemPrompt: systemPrompt ?? null,
    },
    ask: (row) => {
      const text = renderUserText(row);
      const systemText = (row['systemPrompt'] ?? null) === null ? (system?.render(row) ?? null) : textOf(row, 'systemPrompt');
      return { messages: askedBy(text, systemText), ...(typeof prompt === 'function' ? { prompt: text } : {}) };
    },
  };
}

/** Returns the text of a column. Throws `NonRetryableError` if the column does not hold text. */
export function textOf(row: JsonObject, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new NonRetryableError(`Column ${column} must hold text, and holds ${JSON.stringify(value)?.slice(0, 100) ?? 'nothing'}.`, {
    code: 'invalid-input',
  });
}

function callPrompt(prompt: (row: JsonObject) => unknown, row: JsonObject): string {
  const text = prompt(row);
  if (typeof text === 'string') return text;
  throw new NonRetryableError(`The function prompt must return text, and returned ${typeof text}.`, { code: 'invalid-prompt' });
}

const listReads = (template: PromptTemplate | null): Readonly<Record<string, string>> =>
  template ? Object.fromEntries(template.columns.map((column) => [column, `its template ${quote(template.text)}`])) : {};
