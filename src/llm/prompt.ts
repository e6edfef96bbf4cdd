import type { JsonObject } from '../kit/json.ts';
import { NonRetryableError } from '../pipeline/index.ts';
import { askedBy, type ChatMessage } from './chat-message.ts';
import { promptTemplate, quoted, type PromptTemplate } from './prompt-template.ts';

/** What a row is asked with: a Jinja template over its columns, or a function of it. */
export type Prompt<Row> = string | ((row: Row) => string);

/** What makes messages of rows. */
export interface Asking {
  /** Columns that templates read, each with the template, for the message where there is none. */
  readonly reads: Readonly<Record<string, string>>;
  /** What is recorded of it. */
  readonly settings: JsonObject;
  /** The messages for a row; `prompt` is what a function made of it. */
  ask(row: JsonObject): { readonly messages: readonly ChatMessage[]; readonly prompt?: string };
}

/**
 * How rows are asked: by `prompt`, or else by their column `instruction`. A row's `systemPrompt` comes first, where it has one that is not null, else the
 * template `systemPrompt`, if one is given.
 */
export function asking({
  prompt,
  systemPrompt,
}: {
  readonly prompt?: Prompt<never> | undefined;
  readonly systemPrompt?: string | undefined;
}): Asking {
  const user = typeof prompt === 'string' ? promptTemplate(prompt) : null;
  const system = systemPrompt === undefined ? null : promptTemplate(systemPrompt);
  const written = (row: JsonObject): string => {
    if (user) return user.render(row);
    return typeof prompt === 'function' ? madeBy(prompt as (row: JsonObject) => unknown, row) : textOf(row, 'instruction');
  };
  return {
    reads: { ...readsOf(user), ...readsOf(system) },
    settings: {
      prompt: typeof prompt === 'function' ? { function: Function.prototype.toString.call(prompt) } : (prompt ?? null),
      systemPrompt: systemPrompt ?? null,
    },
    ask: (row) => {
      const text = written(row);
      const before = (row['systemPrompt'] ?? null) === null ? (system?.render(row) ?? null) : textOf(row, 'systemPrompt');
      return { messages: askedBy(text, before), ...(typeof prompt === 'function' ? { prompt: text } : {}) };
    },
  };
}

/** A column that must hold text. */
export function textOf(row: JsonObject, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new NonRetryableError(`Column ${column} must hold text, and holds ${JSON.stringify(value)?.slice(0, 100) ?? 'nothing'}.`, {
    code: 'invalid-input',
  });
}

function madeBy(prompt: (row: JsonObject) => unknown, row: JsonObject): string {
  const text = prompt(row);
  if (typeof text === 'string') return text;
  throw new NonRetryableError(`The function prompt must return text, and returned ${typeof text}.`, { code: 'invalid-prompt' });
}

const readsOf = (template: PromptTemplate | null): Readonly<Record<string, string>> =>
  template ? Object.fromEntries(template.columns.map((column) => [column, `its template ${quoted(template.text)}`])) : {};
