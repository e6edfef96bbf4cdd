import { Fault } from '../kit/fault.ts';
import type { Awaitable, Context, Plan, ReadContext, Rows, RunnableStep } from '../pipeline/index.ts';

/**
 * A replacement for a step's function. Its results are checked like the step's own. For a source: its items, or a function that takes a `ReadContext` and reads
 * them.
 */
export type Stub =
  | readonly unknown[]
  // Steps are named by strings here, so the compiler does not know the row's columns. A stub declares those it reads, or has no types.
  // oxlint-disable-next-line typescript/no-explicit-any
  | ((row: any, context: Context) => unknown);

/** The changes of a rehearsal to a plan. */
export interface PlanChanges {
  /** Maximum number of items that each source reads. */
  readonly take?: number | undefined;
  /** Stubs by the names of steps. */
  readonly stubs?: Readonly<Record<string, Stub>> | undefined;
}

/**
 * Returns a plan for a rehearsal: its sources end early, steps call their stubs, and no step waits between attempts. Its data does not change: columns, batches
 * and signatures stay the same. Throws `Fault('invalid-rehearsal')`.
 */
export function rehearsedPlan(plan: Plan, { take, stubs = {} }: PlanChanges): Plan {
  if (take !== undefined && !(Number.isSafeInteger(take) && take >= 0))
    throw new Fault(
      'invalid-rehearsal',
      `take must be a whole number from 0, the number of items that each source reads, and is ${String(take)}.`,
    );
  const unknown = Object.keys(stubs).find((name) => !plan.steps.has(name));
  if (unknown !== undefined) {
    const names = [...plan.steps.keys()].join(', ');
    throw new Fault('invalid-rehearsal', `There is a stub for step ${unknown}, but pipeline ${plan.manifest.pipeline} has ${names}.`);
  }
  const steps = new Map(
    Array.from(plan.steps, ([name, step]) => [
      name,
      limitItems(removeBackoff(Object.hasOwn(stubs, name) ? replaceWithStub(step, stubs[name]) : step), take),
    ]),
  );
  return { ...plan, steps };
}

const removeBackoff = (step: RunnableStep): RunnableStep => ({ ...step, options: { ...step.options, backoffMs: 0 } });

function replaceWithStub(step: RunnableStep, stub: Stub | undefined): RunnableStep {
  if (step.operator === 'source') {
    if (Array.isArray(stub)) return { ...step, origin: null, count: () => stub.length, open: ({ offset }) => stub.slice(offset) };
    if (typeof stub === 'function')
      return { ...step, origin: null, count: null, open: stub as (context: ReadContext) => Awaitable<Rows<unknown>> };
    throw new Fault('invalid-rehearsal', `The stub of source ${step.name} must be a list of rows, or a function that reads them.`);
  }
  if (!('call' in step))
    throw new Fault('invalid-rehearsal', `Step ${step.name} (${step.operator}) calls no function, so it cannot have a stub.`);
  if (typeof stub !== 'function') throw new Fault('invalid-rehearsal', `The stub of step ${step.name} must be a function.`);
  return { ...step, call: stub as (input: unknown, context: Context) => unknown, readsOrigin: true };
}

function limitItems(step: RunnableStep, take: number | undefined): RunnableStep {
  if (step.operator !== 'source' || take === undefined) return step;
  const { count } = step;
  return {
    ...step,
    count: count && (async () => Math.min(take, await count())),
    open: async (context) => {
      const items = await step.open(context);
      const itemsMax = Math.max(0, take - context.offset);
      return Symbol.asyncIterator in items ? takeFirstAsync(items, itemsMax) : takeFirst(items, itemsMax);
    },
  };
}

function* takeFirst(items: Iterable<unknown>, itemsMax: number): Generator<unknown> {
  if (itemsMax === 0) return;
  let count = 0;
  for (const item of items) {
    yield item;
    if (++count >= itemsMax) return;
  }
}

async function* takeFirstAsync(items: AsyncIterable<unknown>, itemsMax: number): AsyncGenerator<unknown> {
  if (itemsMax === 0) return;
  let count = 0;
  for await (const item of items) {
    yield item;
    if (++count >= itemsMax) return;
  }
}
