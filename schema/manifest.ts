import { z } from 'zod';
import type { Immutable } from './immutable.ts';
import { nameLengthMax } from './bounds.ts';

/** Names of pipelines and steps: letters, digits, `_` and `-`, starting with a letter or digit. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const nameSchema = z.string().regex(namePattern).max(nameLengthMax);
const positive = z.int().positive();

/**
 * How a step's batches are cut.
 * `source`: read in order, `rows` items at a time. `aligned`: batch k from batch k of every upstream step. `recut`: the surviving rows of upstream in
 * order, `rows` at a time. `whole`: one batch over everything.
 */
export const cutSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('source'), rows: positive }),
  z.object({ kind: z.literal('aligned') }),
  z.object({ kind: z.literal('recut'), rows: positive }),
  z.object({ kind: z.literal('whole') }),
]);
export type Cut = Immutable<z.infer<typeof cutSchema>>;

/** What a step does with rows. `branch`: the rows that the `route` above it sent one way. */
export const operatorSchema = z.enum([
  'source',
  'map',
  'mapBatch',
  'flatMap',
  'replace',
  'filter',
  'nonNull',
  'route',
  'branch',
  'select',
  'drop',
  'rename',
  'batch',
  'global',
  'join',
  'union',
]);
export type Operator = z.infer<typeof operatorSchema>;

/** A step's options, with defaults filled in. `concurrency` is calls of the step's function in flight. Times in milliseconds. */
export const stepOptionsSchema = z.object({
  batchSize: positive.nullable(),
  concurrency: positive,
  timeoutMs: positive,
  attempts: positive,
  backoffMs: z.int().nonnegative(),
  onError: z.enum(['reject', 'fail']),
});
export type ManifestOptions = Immutable<z.infer<typeof stepOptionsSchema>>;

/**
 * A column and where it is found: under which name, in which upstream steps. Several make a list, one element each, in that order; `isList` makes one
 * of a single one too. None: it is null.
 */
export const columnOriginSchema = z.object({
  column: z.string(),
  of: z.string(),
  upstream: z.array(z.int().nonnegative()),
  isList: z.boolean(),
});
export type ColumnOrigin = Immutable<z.infer<typeof columnOriginSchema>>;

/** A step as recorded: enough to drive and to show it, without its code or column schemas (those are in the definition). */
export const manifestStepSchema = z.object({
  name: nameSchema,
  operator: operatorSchema,
  /** Steps whose rows it reads, in order; empty for a source. */
  upstream: z.array(z.string()),
  cut: cutSchema,
  options: stepOptionsSchema,
  /** Columns whose values this step writes; the others of its rows are its ancestors'. */
  adds: z.array(z.string()),
  /** Where a column that it does not write comes from, if not from the first upstream step under the same name. */
  from: z.array(columnOriginSchema),
  /** A join, a union: the step at which its branches part. Null for other steps, and for a union of steps that have none in common. */
  fork: z.string().nullable(),
  /** A source: the column that identifies its rows, if one is declared. */
  key: z.string().nullable().default(null),
  /** SHA-256 over all that determines its output, ancestors included. */
  signature: z.string(),
});
export type ManifestStep = Immutable<z.infer<typeof manifestStepSchema>>;

/** A pipeline as data: what `RunStarted` records, and all that projections know of it. Steps in topological order. */
export const manifestSchema = z.object({ pipeline: nameSchema, steps: z.array(manifestStepSchema).min(1), signature: z.string() });
export type Manifest = Immutable<z.infer<typeof manifestSchema>>;

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };
/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };
// Taken as they are: documents come from JSON, and zod's own schemas of JSON drop keys called `__proto__`.
const jsonSchema = z.custom<Json>((value) => value !== undefined);
const jsonObjectSchema = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));

/** One step's part of the definition. `parts` are SHA-256s of what its signature is made of, so that a change can be named. */
export const definitionStepSchema = z.object({
  name: z.string(),
  /** All columns of its rows, in order, each with its JSON Schema (draft 2020-12). */
  columns: z.array(z.object({ name: z.string(), schema: jsonObjectSchema })),
  /** The id and version of a library step, or of the user's own. */
  id: z.string().nullable(),
  version: z.string().nullable(),
  /** The text of the step's function, if it has one. */
  code: z.string(),
  /** What the user declared that the function closes over, and a library step's settings. */
  captures: jsonSchema,
  settings: jsonSchema,
  parts: z.object({ operator: z.string(), options: z.string(), columns: z.string(), code: z.string(), captures: z.string() }),
});
export type DefinitionStep = {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly schema: JsonObject }[];
  readonly id: string | null;
  readonly version: string | null;
  readonly code: string;
  readonly captures: Json;
  readonly settings: Json;
  readonly parts: Readonly<Record<'operator' | 'options' | 'columns' | 'code' | 'captures', string>>;
};

/** All of a pipeline that is data and too long for an event: stored as a chunk, named by `RunStarted`. */
export const definitionSchema = z.object({
  version: z.literal(1),
  pipeline: z.string(),
  steps: z.array(definitionStepSchema),
  /** The pipeline's own file and what it imports locally: path relative to the pipeline's folder, and text. */
  sources: z.array(z.object({ path: z.string(), text: z.string() })),
});
export type Definition = {
  readonly version: 1;
  readonly pipeline: string;
  readonly steps: readonly DefinitionStep[];
  readonly sources: readonly { readonly path: string; readonly text: string }[];
};
