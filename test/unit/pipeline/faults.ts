import { expect } from 'vitest';
import { Fault } from '../../../src/kit/fault.ts';
import { pipeline, plan, type Builder, type PlanOptions } from '../../../src/pipeline/index.ts';

/** A builder without types, because TypeScript refuses most of these definitions. */
export type Untyped = ReturnType<typeof JSON.parse>;

/** Plans a definition without type checks. */
export const planned = (define: (source: Untyped, builder: Builder<{}>) => unknown, options?: PlanOptions) =>
  plan(pipeline('test', ((builder: Builder<{}>) => define(builder.source, builder)) as never), options);

/** Returns the fault with this code that a call throws. */
export function faultOf(code: string, call: () => unknown): Fault {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    expect(error.code).toBe(code);
    return error;
  }
  throw new Error(`no ${code} was thrown`);
}
