import type { Cut, ManifestOptions } from '../../schema/index.ts';
import { columnsMax, type Column } from './column-schemas.ts';
import { refuse } from './refuse.ts';
import type { PassingRunnable, RowsWiseRunnable, RowWiseRunnable, SourceRunnable } from './runnable.ts';
import type { FilterStep, StepOptions } from './steps.ts';

type Unsigned<R> = R extends unknown ? Omit<R, 'signature'> : never;

/** A step as one run of the definition left it: runnable but for its signature, with what the signature is made of. */
export type DraftStep = Unsigned<SourceRunnable | RowWiseRunnable | RowsWiseRunnable | PassingRunnable> & {
  readonly site: string;
  readonly id: string | null;
  readonly version: string | null;
  readonly code: string;
  readonly captures: unknown;
  readonly settings: unknown;
  /** How the rows of `fork` are cut into the batches that the branches have in common. */
  readonly forkCut: string;
  /** By column: what wrote its values, as `step/column`. Two branches have the same column only if these are the same. */
  readonly writers: Readonly<Record<string, string>>;
};

/** Where a step is written, for messages. */
export interface Where {
  readonly step: string;
  readonly site: string;
}

/** Operators whose batches have any number of rows: what follows them cuts anew. */
const restarting: ReadonlySet<string> = new Set(['flatMap', 'batch', 'global']);
/** Rows of a batch where it is cut anew and nobody says how. */
export const recutRowsDefault = 1_000;

/** How a step of one upstream step is cut: as its rows come, unless it says otherwise or they come in batches of any size. */
export function cutBehind(upstream: DraftStep, { batchSize }: ManifestOptions): Cut {
  if (batchSize !== null) return { kind: 'recut', rows: batchSize };
  return restarting.has(upstream.operator) ? { kind: 'recut', rows: recutRowsDefault } : { kind: 'aligned' };
}

type Shared = Pick<
  DraftStep,
  'name' | 'site' | 'upstream' | 'options' | 'columns' | 'inputColumns' | 'adds' | 'cut' | 'from' | 'fork' | 'forkCut' | 'writers'
>;

/** What every step of one upstream step has: all of its columns unless `columns` says otherwise, and those it writes. */
export function behind(
  upstream: DraftStep,
  where: Where,
  options: ManifestOptions,
  { columns, added = [] }: { readonly columns?: readonly Column[]; readonly added?: readonly Column[] } = {},
): Shared {
  const all = columns ?? [...upstream.columns, ...added];
  refuseTooMany(all, where);
  return {
    name: where.step,
    site: where.site,
    upstream: [upstream.name],
    cut: cutBehind(upstream, options),
    options,
    columns: all,
    inputColumns: upstream.columns.map(({ name }) => name),
    adds: added.map(({ name }) => name),
    from: [],
    fork: null,
    forkCut: '',
    writers: { ...upstream.writers, ...writtenBy(where.step, added) },
  };
}

/** Columns as written by a step. */
export const writtenBy = (step: string, columns: readonly Column[]): Record<string, string> =>
  Object.fromEntries(columns.map(({ name }) => [name, `${step}/${name}`]));

export function refuseTooMany(columns: readonly Column[], where: Where): void {
  if (columns.length > columnsMax) refuse(`its rows have ${columns.length} columns; at most ${columnsMax} are stored.`, where);
}

/** What a signature is made of beside the operator, columns and options. */
export type Signed = Pick<DraftStep, 'id' | 'version' | 'code' | 'captures' | 'settings'>;

export function signed(
  step: { readonly id?: string | undefined; readonly settings?: unknown; readonly code?: unknown } & StepOptions,
  beside: StepOptions | undefined,
  written: unknown,
  where: Where,
): Signed {
  const version = beside?.version ?? step.version;
  const code = typeof step.code === 'string' ? step.code : codeOf(written);
  if (code.endsWith(nativeCode) && version === undefined)
    refuse('its function is bound or built in, so a change of it cannot be seen: write (row) => …, or give the step a version.', where);
  return {
    id: step.id ?? null,
    version: version === undefined ? null : String(version),
    code,
    captures: beside?.captures ?? step.captures ?? null,
    settings: step.settings ?? null,
  };
}

const nativeCode = '{ [native code] }';

/** A function's text. Rows that are given as values are no code: what they hold is the source's own affair. */
const codeOf = (written: unknown): string => (typeof written === 'function' ? Function.prototype.toString.call(written) : '');

/** Refuses a library step of another kind than the method that it was given to. */
export function isOfKind(kind: string, step: { readonly kind?: string | undefined }, where: Where): void {
  if (step.kind !== undefined && step.kind !== kind) refuse(`a ${step.kind} step was given to ${kind}.`, where);
}

/** Refuses a library step whose columns are not there. */
export function needs({ input, reads = {} }: Pick<FilterStep<never>, 'input' | 'reads'>, upstream: DraftStep, where: Where): void {
  const has = new Set(upstream.columns.map((column) => column.name));
  const there = `${upstream.name} has ${namesOf(upstream)}`;
  for (const [name, schema] of Object.entries(input?.shape ?? {})) {
    if (has.has(name) || schema._zod.optin === 'optional') continue;
    refuse(`it reads column ${name}, and ${there}. Rename with renamed(step, { ${name}: '…' }).`, where);
  }
  for (const [name, reader] of Object.entries(reads)) {
    if (!has.has(name)) refuse(`${reader} reads column ${name}, and ${there}. Name one of these, or add ${name} before.`, where);
  }
}

/** A step's columns by name, for messages. */
export const namesOf = ({ columns }: DraftStep): string => columns.map(({ name }) => name).join(', ');
