import { z } from 'zod';
import { Fault } from '../kit/fault.ts';
import type { Columns, MapStep } from '../pipeline/index.ts';
import { pickCallSettings, type CallSettings } from './call-settings.ts';
import { toLanguageModel, type AnyModel } from './language-model.ts';
import { modelStep } from './model-step.ts';
import { createPrompter, type Prompt } from './prompt.ts';
import { structuredAnswer } from './structured-answer.ts';
import type { AskedRow, InstructionRow } from './text-generation.ts';

/** Options of `structuredGeneration`. */
export interface StructuredGenerationOptions<Row, S extends Columns, C extends string = string> extends CallSettings {
  readonly model: AnyModel;
  /** The schema of the answer. Each of its members becomes a column. */
  readonly schema: S;
  /** Puts the whole answer into one column of this name instead. */
  readonly column?: (C & (string extends C ? never : unknown)) | undefined;
  /** A Jinja template over the row's columns, or a function of the row. Default: the column `instruction`. */
  readonly prompt?: Prompt<Row> | undefined;
  /** A Jinja template, for rows without a `systemPrompt` of their own. */
  readonly systemPrompt?: string | undefined;
}

/** The columns that a structured answer adds: those of the schema, or one column. */
export type Structured<S extends Columns, C extends string> = string extends C ? S : z.ZodObject<{ readonly [K in C]: S }>;

/**
 * Adds a model's answer to each row as data. Each member of `schema` becomes a column or, with `column`, the whole answer becomes one column. If an answer does
 * not match the schema, the model is asked once more; then the row is rejected with code `invalid-output`.
 */
export function structuredGeneration<S extends Columns, const C extends string = string>(
  options: StructuredGenerationOptions<never, S, C> & { readonly prompt?: undefined },
): MapStep<InstructionRow, Structured<S, C>>;
export function structuredGeneration<S extends Columns, const C extends string = string>(
  options: StructuredGenerationOptions<never, S, C> & { readonly prompt: string },
): MapStep<AskedRow, Structured<S, C>>;
export function structuredGeneration<Row, S extends Columns, const C extends string = string>(
  options: StructuredGenerationOptions<Row, S, C> & { readonly prompt: (row: Row) => string },
): MapStep<Row, Structured<S, C>>;
export function structuredGeneration(options: StructuredGenerationOptions<never, Columns>): MapStep<never, Columns> {
  const { schema, column } = options;
  if (!(schema instanceof z.ZodObject)) throw new Fault('invalid-pipeline', 'The schema of a structured answer must be a z.object({ … }).');
  const model = toLanguageModel(options.model);
  const how = createPrompter(options);
  const settings = pickCallSettings(options);
  const answer = structuredAnswer(model, schema);
  const systemPrompt = z.string().nullable().optional();
  return modelStep({
    id: 'distilog/structured-generation',
    version: 1,
    input: options.prompt === undefined ? z.object({ instruction: z.string(), systemPrompt }) : z.object({ systemPrompt }),
    reads: how.reads,
    settings: { model: model.settings, ...how.settings, ...settings, schema: answer.schema, column: column ?? null },
    output: column === undefined ? schema : z.object({ [column]: schema }),
    run: async (row, context) => {
      // As it was answered: what the schema makes of it is made once, where the row is checked.
      const { answered } = await answer.ask(context, { ...how.ask(row), settings });
      return column === undefined ? answered : { [column]: answered };
    },
  });
}
