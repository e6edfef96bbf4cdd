import { Fault } from '#kit/fault';
import type { Awaitable, Context, Plan, ReadContext, Rows, RunnableStep } from '#pipeline';

/** A function in place of a step's own: what it returns is checked as the step's own results are. */
export type StepStub = {
  // A method, so that a stub may name the columns that it reads.
  bivariant(row: Readonly<Record<string, unknown>>, context: Context): unknown;
}['bivariant'];

/** Rows in place of a source's own: a list, or a function that reads them from an item on. */
export type SourceStub = readonly unknown[] | ((context: ReadContext) => Awaitable<Rows<unknown>>);

/** What of a plan a rehearsal has otherwise. */
export interface PlanChanges {
  /** Items that each source reads at most. */
  readonly take?: number | undefined;
  /** By the names of steps. */
  readonly stubs?: Readonly<Record<string, StepStub | SourceStub>> | undefined;
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

function stubbed(step: RunnableStep, stub: StepStub | SourceStub | undefined): RunnableStep {
  if (step.operator === 'source') {
    if (Array.isArray(stub)) return { ...step, origin: null, count: () => stub.length, open: ({ offset }) => stub.slice(offset) };
    if (typeof stub === 'function') return { ...step, origin: null, count: null, open: stub as (context: ReadContext) => Rows<unknown> };
    throw new Fault('invalid-rehearsal', `The stub of source ${step.name} must be a list of rows, or a function that reads them.`);
  }
  if (!('call' in step))
    throw new Fault('invalid-rehearsal', `Step ${step.name} (${step.operator}) calls no function, so there is none to stub.`);
  if (typeof stub !== 'function') throw new Fault('invalid-rehearsal', `The stub of step ${step.name} must be a function.`);
  return { ...step, call: stub as (row: unknown, context: Context) => unknown };
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
