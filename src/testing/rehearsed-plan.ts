import { Fault } from '../kit/fault.ts';
import type { Awaitable, Context, Plan, ReadContext, Rows, RunnableStep } from '../pipeline/index.ts';

/**
 * What stands in for a step: a function in place of its own, whose results are checked as the step's own are. For a source: its items, or a function
 * that reads them, given a `ReadContext`.
 */
export type Stub =
  | readonly unknown[]
  // Steps are named by texts here, so nobody knows the row's columns: a stub says which it reads, or goes without types.
  // oxlint-disable-next-line typescript/no-explicit-any
  | ((row: any, context: Context) => unknown);

/** What of a plan a rehearsal has otherwise. */
export interface PlanChanges {
  /** Items that each source reads at most. */
  readonly take?: number | undefined;
  /** By the names of steps. */
  readonly stubs?: Readonly<Record<string, Stub>> | undefined;
}

/**
 * A plan to rehearse: its sources end early, steps call their stubs, and no step waits between attempts. What it is as data stays: the same columns,
 * batches and signatures. Throws `Fault('invalid-rehearsal')`.
 */
export function rehearsedPlan(plan: Plan, { take, stubs = {} }: PlanChanges): Plan {
  if (take !== undefined && !(Number.isSafeInteger(take) && take >= 0))
    throw new Fault('invalid-rehearsal', `take is how many items each source reads, a whole number from 0, and is ${String(take)}.`);
  const unknown = Object.keys(stubs).find((name) => !plan.steps.has(name));
  if (unknown !== undefined) {
    const names = [...plan.steps.keys()].join(', ');
    throw new Fault('invalid-rehearsal', `There is a stub for step ${unknown}, and pipeline ${plan.manifest.pipeline} has ${names}.`);
  }
  const steps = new Map(
    Array.from(plan.steps, ([name, step]) => [
      name,
      limited(unhurried(Object.hasOwn(stubs, name) ? stubbed(step, stubs[name]) : step), take),
    ]),
  );
  return { ...plan, steps };
}

const unhurried = (step: RunnableStep): RunnableStep => ({ ...step, options: { ...step.options, backoffMs: 0 } });

function stubbed(step: RunnableStep, stub: Stub | undefined): RunnableStep {
  if (step.operator === 'source') {
    if (Array.isArray(stub)) return { ...step, origin: null, count: () => stub.length, open: ({ offset }) => stub.slice(offset) };
    if (typeof stub === 'function')
      return { ...step, origin: null, count: null, open: stub as (context: ReadContext) => Awaitable<Rows<unknown>> };
    throw new Fault('invalid-rehearsal', `The stub of source ${step.name} must be a list of rows, or a function that reads them.`);
  }
  if (!('call' in step))
    throw new Fault('invalid-rehearsal', `Step ${step.name} (${step.operator}) calls no function, so there is none to stub.`);
  if (typeof stub !== 'function') throw new Fault('invalid-rehearsal', `The stub of step ${step.name} must be a function.`);
  return { ...step, call: stub as (input: unknown, context: Context) => unknown, readsOrigin: true };
}

function limited(step: RunnableStep, take: number | undefined): RunnableStep {
  if (step.operator !== 'source' || take === undefined) return step;
  const { count } = step;
  return {
    ...step,
    count: count && (async () => Math.min(take, await count())),
    open: async (context) => {
      const items = await step.open(context);
      const most = Math.max(0, take - context.offset);
      return Symbol.asyncIterator in items ? firstAsync(items, most) : first(items, most);
    },
  };
}

function* first(items: Iterable<unknown>, most: number): Generator<unknown> {
  if (most === 0) return;
  let taken = 0;
  for (const item of items) {
    yield item;
    if (++taken >= most) return;
  }
}

async function* firstAsync(items: AsyncIterable<unknown>, most: number): AsyncGenerator<unknown> {
  if (most === 0) return;
  let taken = 0;
  for await (const item of items) {
    yield item;
    if (++taken >= most) return;
  }
}
