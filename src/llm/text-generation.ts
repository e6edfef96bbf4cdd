import { z } from 'zod';
import type { MapStep } from '../pipeline/index.ts';
import { callModel } from './call-model.ts';
import { callSettings, type CallSettings } from './call-settings.ts';
import { generated, generationCount, type Generated, type Written } from './generated.ts';
import { languageModelOf, type AnyModel } from './language-model.ts';
import { modelStep } from './model-step.ts';
import { asking, type Prompt } from './prompt.ts';

/** What text is generated with. */
export interface TextGenerationOptions<Row, N extends number = number> extends CallSettings {
  readonly model: AnyModel;
  /** A Jinja template over the row's columns, or a function of the row. Default: the column `instruction`. */
  readonly prompt?: Prompt<Row> | undefined;
  /** A Jinja template, for rows without a `systemPrompt` of their own. */
  readonly systemPrompt?: string | undefined;
  /** Answers to each row, from 1, asked for at the same time. Default 1. */
  readonly numGenerations?: Written<N> | undefined;
}

const optional = { systemPrompt: z.string().nullable().optional() };

/** Rows that bring their instruction. */
export type InstructionRow = { readonly instruction: string; readonly systemPrompt?: string | null | undefined };

/** Rows that are asked by a template, which may read any column. */
export type AskedRow = { readonly systemPrompt?: string | null | undefined; readonly [column: string]: unknown };

/**
 * A model's answer to each row: `generation`, or `generations` with `numGenerations` above 1, and `modelName`. Asks with the column `instruction`, or with
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
  const model = languageModelOf(options.model);
  const how = asking(options);
  const settings = callSettings(options);
  const count = generationCount(options.numGenerations);
  return modelStep({
    id: 'distilog/text-generation',
    version: 1,
    input: z.object(options.prompt === undefined ? { instruction: z.string(), ...optional } : optional),
    reads: how.reads,
    settings: { model: model.settings, ...how.settings, ...settings, numGenerations: count },
    ...generated(model, count, (row, context, index) =>
      callModel(model, context, { ...how.ask(row), settings, index }, ({ text }) => text),
    ),
  });
}
