import type { z } from 'zod';
import type { JsonObject } from '../kit/json.ts';
import { step, type Columns, type Context, type MapStep } from '../pipeline/index.ts';

/** A library step whose function reads rows as they are stored, and looks at what it needs of them itself. */
interface ModelStep {
  readonly id: string;
  readonly version: number;
  readonly input: z.ZodObject;
  readonly reads?: Readonly<Record<string, string>>;
  readonly settings: object;
  readonly output: Columns;
  readonly run: (row: JsonObject, context: Context) => Promise<unknown>;
}

/** Declares a step that asks a model. Its rows' and columns' types are the caller's to state, for they follow from its options. */
export const modelStep = <Row, S extends Columns>(it: ModelStep): MapStep<Row, S> =>
  step.map(it as never) as MapStep<never, Columns> as MapStep<Row, S>;
