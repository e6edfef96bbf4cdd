// Steps that call a function of a row, of a batch's rows, or of all rows.
import { branchColumn, nameLengthMax, namePattern } from '../../schema/index.ts';
import { columnsOf, type Column } from './column-schemas.ts';
import type { Columns } from './columns.ts';
import type { Context } from './context.ts';
import { behind, isOfKind, namesOf, needs, recutRowsDefault, signed, writtenBy, type DraftStep, type Where } from './draft-step.ts';
import { mayReadOrigin } from './may-read-origin.ts';
import { optionsOf } from './options.ts';
import { refuse } from './refuse.ts';
import { rowCheck } from './row-check.ts';
import type { BatchStep, FilterStep, FlatMapStep, GlobalStep, MapBatchStep, MapStep, RouteStep, StepOptions } from './steps.ts';

type Given<S> = { readonly upstream: DraftStep; readonly step: S; readonly beside: StepOptions | undefined; readonly where: Where };
type Call = (row: unknown, context: Context) => unknown;

/** `map`, `flatMap`, `mapBatch`: columns beside those that rows have. */
export function addingStep(
  operator: 'map' | 'flatMap' | 'mapBatch',
  { upstream, step, beside, where }: Given<MapStep<never, Columns> | FlatMapStep<never, Columns> | MapBatchStep<never, Columns>>,
): DraftStep {
  hasRun(operator, step, where);
  const options = optionsOf(operator, step, beside, where);
  const added = columnsOf(step.output, where);
  const twice = added.find((column) => has(upstream, column));
  if (twice) refuse(`column ${twice.name} exists: ${upstream.name} has it. Give the new one another name, or use replace.`, where);
  needs(step, upstream, where);
  return {
    operator,
    ...behind(upstream, where, options, { added }),
    call: (input: unknown, context: Context) => (step.run as Call)(input, context),
    readsOrigin: mayReadOrigin(step.run),
    check: rowCheck(step.output),
    ...signed(step, beside, step.run, where),
  } as DraftStep;
}

/** `replace`: other values in columns that rows have. */
export function replacingStep({ upstream, step, beside, where }: Given<MapStep<never, Columns>>): DraftStep {
  hasRun('replace', step, where, 'map');
  const options = optionsOf('replace', step, beside, where);
  const written = columnsOf(step.output, where);
  const missing = written.find((column) => !has(upstream, column));
  if (missing)
    refuse(`there is no column ${missing.name} to replace: ${upstream.name} has ${namesOf(upstream)}. To add one, use map.`, where);
  needs(step, upstream, where);
  const columns = upstream.columns.map((column) => written.find(({ name }) => name === column.name) ?? column);
  return {
    operator: 'replace',
    ...behind(upstream, where, options, { columns }),
    adds: written.map(({ name }) => name),
    writers: { ...upstream.writers, ...writtenBy(where.step, written) },
    call: (row: unknown, context: Context) => (step.run as Call)(row, context),
    readsOrigin: mayReadOrigin(step.run),
    check: rowCheck(step.output),
    ...signed(step, beside, step.run, where),
  };
}

/** `batch`, `global`: new rows, with nothing of those that they are made of. */
export function restartingStep(
  operator: 'batch' | 'global',
  { upstream, step, beside, where }: Given<BatchStep<never, Columns> | GlobalStep<never, Columns>>,
): DraftStep {
  hasRun(operator, step, where);
  const options = optionsOf(operator, step, beside, where);
  if (operator === 'global' && options.batchSize !== null) refuse('a global step is one batch of all rows: it has no batchSize.', where);
  const columns = columnsOf(step.output, where);
  needs(step, upstream, where);
  return {
    operator,
    ...behind(upstream, where, options, { columns }),
    cut: operator === 'global' ? { kind: 'whole' } : { kind: 'recut', rows: options.batchSize ?? recutRowsDefault },
    adds: columns.map(({ name }) => name),
    writers: writtenBy(where.step, columns),
    call: (rows: unknown, context: Context) => (step.run as Call)(rows, context),
    readsOrigin: mayReadOrigin(step.run),
    check: rowCheck(step.output),
    ...signed(step, beside, step.run, where),
  };
}

/** `filter`: some of the rows. */
export function filteringStep({ upstream, step, beside, where }: Given<FilterStep<never>>): DraftStep {
  if (typeof step !== 'object' || step === null || typeof step.keep !== 'function')
    refuse('a filter is an object with a function keep.', where);
  isOfKind('filter', step, where);
  needs(step, upstream, where);
  return {
    operator: 'filter',
    ...behind(upstream, where, optionsOf('filter', step, beside, where)),
    call: (row: unknown, context: Context) => (step.keep as Call)(row, context),
    readsOrigin: mayReadOrigin(step.keep),
    ...signed(step, beside, step.keep, where),
  };
}

/** `route`: which way each row goes. Its branches are steps of their own: see `branchStep`. */
export function routingStep({ upstream, step, beside, where }: Given<RouteStep<never, string>>): DraftStep {
  if (typeof step !== 'object' || step === null || typeof step.to !== 'function' || !Array.isArray(step.branches))
    refuse('a route is an object with a list branches and a function to.', where);
  const { branches } = step;
  if (branches.length === 0) refuse('a route has at least one branch.', where);
  for (const [index, branch] of branches.entries()) {
    if (typeof branch !== 'string' || !namePattern.test(branch) || branchName(where.step, branch).length > nameLengthMax)
      refuse(`${JSON.stringify(branch)} cannot be a branch's name: use letters, digits, _ and -.`, where);
    if (branches.indexOf(branch) !== index) refuse(`branch ${branch} is named twice.`, where);
  }
  isOfKind('route', step, where);
  needs(step, upstream, where);
  return {
    operator: 'route',
    ...behind(upstream, where, optionsOf('route', step, beside, where)),
    adds: [branchColumn],
    branches,
    call: (row: unknown, context: Context) => (step.to as Call)(row, context),
    readsOrigin: mayReadOrigin(step.to),
    ...signed(step, beside, step.to, where),
    settings: { branches },
  };
}

/** The step of one branch of a route. */
export const branchName = (route: string, branch: string): string => `${route}-${branch}`;

/** The rows that a route sends one way. */
export function branchStep(route: DraftStep, branch: string, where: Where): DraftStep {
  return {
    operator: 'branch',
    ...behind(route, where, optionsOf('select', {}, undefined, where)),
    inputColumns: [branchColumn],
    branch,
    ...signed({}, undefined, undefined, where),
    settings: { branch },
  };
}

function hasRun(
  operator: string,
  step: { readonly run?: unknown; readonly kind?: string | undefined } | null,
  where: Where,
  kind: string = operator,
): void {
  if (typeof step !== 'object' || step === null || typeof step.run !== 'function')
    refuse(`a ${operator} is an object with output and a function run.`, where);
  isOfKind(kind, step, where);
}

const has = ({ columns }: DraftStep, { name }: Column): boolean => columns.some((column) => column.name === name);
