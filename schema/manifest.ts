import { z } from 'zod';
import type { Immutable } from './immutable.ts';
import { nameLengthMax } from './bounds.ts';

/** Names of pipelines and steps: letters, digits, `_` and `-`, starting with a letter or digit. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const nameSchema = z.string().regex(namePattern).max(nameLengthMax);
const positive = z.int().positive();

/**
 * How a step's batches are cut.
 * `source`: items are read in order, `rows` at a time. `aligned`: batch k has the rows of batch k of every upstream step. `recut`: the rows of the upstream
 * steps in order, `rows` at a time. `whole`: one batch with all rows.
 */
export const cutSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('source'), rows: positive }),
  z.object({ kind: z.literal('aligned') }),
  z.object({ kind: z.literal('recut'), rows: positive }),
  z.object({ kind: z.literal('whole') }),
]);
export type Cut = Immutable<z.infer<typeof cutSchema>>;

/** The kind of a step. `branch`: the rows that the `route` above it sends to one of its branches. */
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

/** A step's options, including defaults. `concurrency` is the number of calls in flight. Times are in milliseconds. */
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
 * The origin of a column: the upstream steps that have it, and its name `of` there. With several upstream steps its value is a list of theirs, in that order.
 * `isList` makes a list of a single one too. With no upstream step its value is null.
 */
export const columnOriginSchema = z.object({
  column: z.string(),
  of: z.string(),
  upstream: z.array(z.int().nonnegative()),
  isList: z.boolean(),
});
export type ColumnOrigin = Immutable<z.infer<typeof columnOriginSchema>>;

/** A step as it is recorded. It is enough to drive and show the step. Its code and column schemas are in the definition. */
export const manifestStepSchema = z.object({
  name: nameSchema,
  operator: operatorSchema,
  /** Steps whose rows it reads, in order; empty for a source. */
  upstream: z.array(z.string()),
  cut: cutSchema,
  options: stepOptionsSchema,
  /** Columns that this step writes. The other columns of its rows come from its ancestors. */
  adds: z.array(z.string()),
  /** Origins of columns that it does not write, except those with the same name in the first upstream step. */
  from: z.array(columnOriginSchema),
  /** For a join or union: the step at which its branches part. Null for other steps, and for a union whose branches have no step in common. */
  fork: z.string().nullable(),
  /** For a source: the declared key column, or null. */
  key: z.string().nullable().default(null),
  /** SHA-256 of everything that determines its output, including its ancestors. */
  signature: z.string(),
});
export type ManifestStep = Immutable<z.infer<typeof manifestStepSchema>>;

/** A pipeline as data. `RunStarted` records it, and projections see nothing else of the pipeline. Steps are in topological order. */
export const manifestSchema = z.object({ pipeline: nameSchema, steps: z.array(manifestStepSchema).min(1), signature: z.string() });
export type Manifest = Immutable<z.infer<typeof manifestSchema>>;

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };
/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };
// These values are not parsed: they come from JSON, and zod's own schemas of JSON drop keys named `__proto__`.
const jsonSchema = z.custom<Json>((value) => value !== undefined);
const jsonObjectSchema = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));

/** One step's part of the definition. `parts` are the SHA-256s that its signature is derived from, so that a message can name what changed. */
export const definitionStepSchema = z.object({
  name: z.string(),
  /** All columns of its rows, in order, each with its JSON Schema (draft 2020-12). */
  columns: z.array(z.object({ name: z.string(), schema: jsonObjectSchema })),
  /** The id and version of a library step, or of the user's own. */
  id: z.string().nullable(),
  version: z.string().nullable(),
  /** The text of the step's function, if it has one. */
  code: z.string(),
  /** The values that the user declared as captured by the function. `settings` are those of a library step. */
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

/** The parts of a pipeline that are too long for an event. It is stored as a chunk, which `RunStarted` names. */
export const definitionSchema = z.object({
  version: z.literal(1),
  pipeline: z.string(),
  steps: z.array(definitionStepSchema),
  /** The pipeline's own file and the local files that it imports, with their paths relative to the pipeline's folder. */
  sources: z.array(z.object({ path: z.string(), text: z.string() })),
});
export type Definition = {
  readonly version: 1;
  readonly pipeline: string;
  readonly steps: readonly DefinitionStep[];
  readonly sources: readonly { readonly path: string; readonly text: string }[];
};
