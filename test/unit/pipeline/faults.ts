import { expect } from 'vitest';
import { Fault } from '../../../src/kit/fault.ts';
import { pipeline, plan, type Builder, type PlanOptions } from '../../../src/pipeline/index.ts';

/** A builder as plain JavaScript sees it: TypeScript refuses most of what is tested here. */
export type Untyped = ReturnType<typeof JSON.parse>;

/** Plans a definition that no compiler has seen. */
export const planned = (define: (source: Untyped, builder: Builder<{}>) => unknown, options?: PlanOptions) =>
  plan(pipeline('test', ((builder: Builder<{}>) => define(builder.source, builder)) as never), options);

/** The fault with this code that a call throws. */
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
