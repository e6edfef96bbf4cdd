import { z } from 'zod';
import type { MapStep } from '../pipeline/index.ts';
import { callModel } from './call-model.ts';
import { pickCallSettings, type CallSettings } from './call-settings.ts';
import { buildGeneration, parseGenerationCount, type Generated, type Written } from './generated.ts';
import { toLanguageModel, type AnyModel } from './language-model.ts';
import { modelStep } from './model-step.ts';
import { createPrompter, type Prompt } from './prompt.ts';

/** Options of `textGeneration`. */
export interface TextGenerationOptions<Row, N extends number = number> extends CallSettings {
  readonly model: AnyModel;
  /** A Jinja template over the row's columns, or a function of the row. Default: the column `instruction`. */
  readonly prompt?: Prompt<Row> | undefined;
  /** A Jinja template, for rows without a `systemPrompt` of their own. */
  readonly systemPrompt?: string | undefined;
  /** Number of answers per row, requested concurrently. Default 1. */
  readonly numGenerations?: Written<N> | undefined;
}

const optional = { systemPrompt: z.string().nullable().optional() };

/** Rows with an instruction. */
export type InstructionRow = { readonly instruction: string; readonly systemPrompt?: string | null | undefined };

/** Rows for a prompt template, which may read any column. */
export type AskedRow = { readonly systemPrompt?: string | null | undefined; readonly [column: string]: unknown };

/**
 * Adds a model's answer to each row: `modelName` and `generation`, or `generations` with `numGenerations` above 1. The prompt is the column `instruction`, or
 * `prompt`.
 */
export function textGeneration<const N extends number = 1>(
  options: TextGenerationOptions<never, N> & { readonly prompt?: undefined },
): MapStep<InstructionRow, Generated<N>>;
export function textGeneration<const N extends number = 1>(
  options: TextGenerationOptions<never, N> & { readonly prompt: string },
): MapStep<AskedRow, Generated<N>>;
export function textGeneration<Row, const N extends number = 1>(
  options: TextGenerationOptions<Row, N> & { readonly prompt: (row: Row) => string },
): MapStep<Row, Generated<N>>;
export function textGeneration(options: TextGenerationOptions<never>): unknown {
  const model = toLanguageModel(options.model);
  const prompter = createPrompter(options);
  const settings = pickCallSettings(options);
  const count = parseGenerationCount(options.numGenerations);
  return modelStep({
    id: 'distilog/text-generation',
    version: 1,
    input: z.object(options.prompt === undefined ? { instruction: z.string(), ...optional } : optional),
    reads: prompter.reads,
    settings: { model: model.settings, ...prompter.settings, ...settings, numGenerations: count },
    ...buildGeneration(model, count, (row, context, index) =>
      callModel(model, context, { ...prompter.ask(row), settings, index }, ({ text }) => text),
    ),
  });
}
