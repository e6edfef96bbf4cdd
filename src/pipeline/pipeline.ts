import { z } from 'zod';
import type { Builder, Leaves, Pipeline } from './node.ts';
import { callSite, refuse } from './refuse.ts';

// Not a class: a pipeline made by another copy of this package is a pipeline too.
const brand = Symbol.for('distilog.pipeline');

/** Defines a pipeline. `define` is a synchronous, pure function of its params: it is run twice and compared. */
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
  if (unknown !== undefined) refuse(`pipeline ${name} has no option ${unknown}: there is params.`, { site: callSite(pipeline) });
  const { params = z.object({}) } = options;
  return Object.freeze({ [brand]: true, name, params, define });
}

/** Whether a value is a pipeline, whichever copy of this package made it. */
export const isPipeline = (value: unknown): value is Pipeline =>
  typeof value === 'object' && value !== null && (value as Readonly<Record<symbol, unknown>>)[brand] === true;
