import type { z } from 'zod';
import type { JsonObject } from '../kit/json.ts';
import { step, type Columns, type Context, type MapStep } from '../pipeline/index.ts';

/** A library step whose function gets untyped rows and checks the columns that it needs itself. */
interface ModelStep {
  readonly id: string;
  readonly version: number;
  readonly input: z.ZodObject;
  readonly reads?: Readonly<Record<string, string>>;
  readonly settings: object;
  readonly output: Columns;
  readonly run: (row: JsonObject, context: Context) => Promise<unknown>;
}

/**
 * Declares a step that calls a model. The caller states the types of its rows and columns, because they follow from the step's options.
 * The text of `run`, comments included, is part of the step's signature: an edit makes the steps of stored runs count as changed.
 */
export const modelStep = <Row, S extends Columns>(it: ModelStep): MapStep<Row, S> =>
  step.map(it as never) as MapStep<never, Columns> as MapStep<Row, S>;
