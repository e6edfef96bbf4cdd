import { z } from 'zod';
import type { Builder, Leaves, Pipeline } from './node.ts';
import { findCallSite, refuse } from './refuse.ts';

// A symbol instead of a class, so that pipelines of another copy of this package are recognised.
const brand = Symbol.for('distilog.pipeline');

/** Defines a pipeline. `define` must be a synchronous, pure function of its params: it is run twice and the results are compared. */
export function pipeline<const L extends Leaves | void>(name: string, define: (builder: Builder<{}>) => L): Pipeline<z.ZodObject<{}>, L>;
export function pipeline<P extends z.ZodObject, const L extends Leaves | void>(
  name: string,
  options: { readonly params?: P | undefined },
  define: (builder: Builder<z.output<P>>) => L,
): Pipeline<P, L>;
export function pipeline(name: string, ...rest: readonly unknown[]): Pipeline {
  const define = rest.at(-1) as Pipeline['define'];
  const options = rest.length > 1 ? (rest[0] as { readonly params?: z.ZodObject | undefined }) : {};
  const unknown = Object.keys(options).find((option) => option !== 'params');
  if (unknown !== undefined)
    refuse(`pipeline ${name} has no option ${unknown}. The only option is params.`, { site: findCallSite(pipeline) });
  const { params = z.object({}) } = options;
  return Object.freeze({ [brand]: true, name, params, define });
}

/** Returns whether a value is a pipeline, even one that another copy of this package created. */
export const isPipeline = (value: unknown): value is Pipeline =>
  typeof value === 'object' && value !== null && (value as Readonly<Record<symbol, unknown>>)[brand] === true;
