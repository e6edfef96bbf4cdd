// Steps that call a function of a row, of a batch's rows, or of all rows.
import { branchColumn, nameLengthMax, namePattern } from '../../schema/index.ts';
import { readColumns, type Column } from './column-schemas.ts';
import type { Columns } from './columns.ts';
import type { Context } from './context.ts';
import {
  buildSharedMembers,
  refuseOtherKind,
  listColumnNames,
  refuseMissingColumns,
  recutRowsDefault,
  collectSignatureInputs,
  listWriters,
  type DraftStep,
  type Location,
} from './draft-step.ts';
import { mayReadOrigin } from './may-read-origin.ts';
import { resolveOptions } from './options.ts';
import { refuse } from './refuse.ts';
import { rowCheck } from './row-check.ts';
import type { BatchStep, FilterStep, FlatMapStep, GlobalStep, MapBatchStep, MapStep, RouteStep, StepOptions } from './steps.ts';

type StepInput<S> = {
  readonly upstream: DraftStep;
  readonly step: S;
  readonly overrides: StepOptions | undefined;
  readonly location: Location;
};
type Call = (row: unknown, context: Context) => unknown;

/** Builds a `map`, `flatMap` or `mapBatch` step, which adds columns to those of its input. */
export function columnAddingStep(
  operator: 'map' | 'flatMap' | 'mapBatch',
  { upstream, step, overrides, location }: StepInput<MapStep<never, Columns> | FlatMapStep<never, Columns> | MapBatchStep<never, Columns>>,
): DraftStep {
  refuseWithoutRun(operator, step, location);
  const options = resolveOptions(operator, step, overrides, location);
  const added = readColumns(step.output, location);
  const duplicate = added.find((column) => hasColumn(upstream, column));
  if (duplicate)
    refuse(`column ${duplicate.name} exists: ${upstream.name} has it. Give the new one another name, or use replace.`, location);
  refuseMissingColumns(step, upstream, location);
  return {
    operator,
    ...buildSharedMembers(upstream, location, options, { added }),
    call: (input: unknown, context: Context) => (step.run as Call)(input, context),
    readsOrigin: mayReadOrigin(step.run),
    check: rowCheck(step.output),
    ...collectSignatureInputs(step, overrides, step.run, location),
  } as DraftStep;
}

/** Builds a `replace` step, which writes new values into existing columns. */
export function replaceStep({ upstream, step, overrides, location }: StepInput<MapStep<never, Columns>>): DraftStep {
  refuseWithoutRun('replace', step, location, 'map');
  const options = resolveOptions('replace', step, overrides, location);
  const written = readColumns(step.output, location);
  const missing = written.find((column) => !hasColumn(upstream, column));
  if (missing)
    refuse(
      `there is no column ${missing.name} to replace: ${upstream.name} has ${listColumnNames(upstream)}. To add one, use map.`,
      location,
    );
  refuseMissingColumns(step, upstream, location);
  const columns = upstream.columns.map((column) => written.find(({ name }) => name === column.name) ?? column);
  return {
    operator: 'replace',
    ...buildSharedMembers(upstream, location, options, { columns }),
    adds: written.map(({ name }) => name),
    writers: { ...upstream.writers, ...listWriters(location.step, written) },
    call: (row: unknown, context: Context) => (step.run as Call)(row, context),
    readsOrigin: mayReadOrigin(step.run),
    check: rowCheck(step.output),
    ...collectSignatureInputs(step, overrides, step.run, location),
  };
}

/** Builds a `batch` or `global` step, which makes new rows without the columns of its input. */
export function newRowsStep(
  operator: 'batch' | 'global',
  { upstream, step, overrides, location }: StepInput<BatchStep<never, Columns> | GlobalStep<never, Columns>>,
): DraftStep {
  refuseWithoutRun(operator, step, location);
  const options = resolveOptions(operator, step, overrides, location);
  if (operator === 'global' && options.batchSize !== null) refuse('a global step is one batch of all rows: it has no batchSize.', location);
  const columns = readColumns(step.output, location);
  refuseMissingColumns(step, upstream, location);
  return {
    operator,
    ...buildSharedMembers(upstream, location, options, { columns }),
    cut: operator === 'global' ? { kind: 'whole' } : { kind: 'recut', rows: options.batchSize ?? recutRowsDefault },
    adds: columns.map(({ name }) => name),
    writers: listWriters(location.step, columns),
    call: (rows: unknown, context: Context) => (step.run as Call)(rows, context),
    readsOrigin: mayReadOrigin(step.run),
    check: rowCheck(step.output),
    ...collectSignatureInputs(step, overrides, step.run, location),
  };
}

/** Builds a `filter` step, which keeps some of the rows. */
export function filterStep({ upstream, step, overrides, location }: StepInput<FilterStep<never>>): DraftStep {
  if (typeof step !== 'object' || step === null || typeof step.keep !== 'function')
    refuse('a filter is an object with a function keep.', location);
  refuseOtherKind('filter', step, location);
  refuseMissingColumns(step, upstream, location);
  return {
    operator: 'filter',
    ...buildSharedMembers(upstream, location, resolveOptions('filter', step, overrides, location)),
    call: (row: unknown, context: Context) => (step.keep as Call)(row, context),
    readsOrigin: mayReadOrigin(step.keep),
    ...collectSignatureInputs(step, overrides, step.keep, location),
  };
}

/** Builds a `route` step, which chooses a branch for each row. Each branch is a step of its own: see `branchStep`. */
export function routeStep({ upstream, step, overrides, location }: StepInput<RouteStep<never, string>>): DraftStep {
  if (typeof step !== 'object' || step === null || typeof step.to !== 'function' || !Array.isArray(step.branches))
    refuse('a route is an object with a list branches and a function to.', location);
  const { branches } = step;
  if (branches.length === 0) refuse('a route has at least one branch.', location);
  for (const [index, branch] of branches.entries()) {
    if (typeof branch !== 'string' || !namePattern.test(branch) || branchName(location.step, branch).length > nameLengthMax)
      refuse(`${JSON.stringify(branch)} cannot be a branch's name: use letters, digits, _ and -.`, location);
    if (branches.indexOf(branch) !== index) refuse(`branch ${branch} is named twice.`, location);
  }
  refuseOtherKind('route', step, location);
  refuseMissingColumns(step, upstream, location);
  return {
    operator: 'route',
    ...buildSharedMembers(upstream, location, resolveOptions('route', step, overrides, location)),
    adds: [branchColumn],
    branches,
    call: (row: unknown, context: Context) => (step.to as Call)(row, context),
    readsOrigin: mayReadOrigin(step.to),
    ...collectSignatureInputs(step, overrides, step.to, location),
    settings: { branches },
  };
}

/** Returns the name of the step for one branch of a route. */
export const branchName = (route: string, branch: string): string => `${route}-${branch}`;

/** Builds the step that passes on the rows of one branch of a route. */
export function branchStep(route: DraftStep, branch: string, location: Location): DraftStep {
  return {
    operator: 'branch',
    ...buildSharedMembers(route, location, resolveOptions('select', {}, undefined, location)),
    inputColumns: [branchColumn],
    branch,
    ...collectSignatureInputs({}, undefined, undefined, location),
    settings: { branch },
  };
}

function refuseWithoutRun(
  operator: string,
  step: { readonly run?: unknown; readonly kind?: string | undefined } | null,
  location: Location,
  kind: string = operator,
): void {
  if (typeof step !== 'object' || step === null || typeof step.run !== 'function')
    refuse(`a ${operator} is an object with output and a function run.`, location);
  refuseOtherKind(kind, step, location);
}

const hasColumn = ({ columns }: DraftStep, { name }: Column): boolean => columns.some((column) => column.name === name);
