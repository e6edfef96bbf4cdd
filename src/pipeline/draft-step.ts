import type { Cut, ManifestOptions } from '../../schema/index.ts';
import { columnsMax, type Column } from './column-schemas.ts';
import { refuse } from './refuse.ts';
import type { PassingRunnable, RowsWiseRunnable, RowWiseRunnable, SourceRunnable } from './runnable.ts';
import type { FilterStep, StepOptions } from './steps.ts';

type Unsigned<R> = R extends unknown ? Omit<R, 'signature'> : never;

/** A step after one run of the definition: runnable except for its signature, with the inputs of that signature. */
export type DraftStep = Unsigned<SourceRunnable | RowWiseRunnable | RowsWiseRunnable | PassingRunnable> & {
  readonly site: string;
  readonly id: string | null;
  readonly version: string | null;
  readonly code: string;
  readonly captures: unknown;
  readonly settings: unknown;
  /** How the rows of `fork` are cut into the batches that the branches share. */
  readonly forkCut: string;
  /** The writer of each column's values, as `step/column`. Two branches have the same column only if its writers are the same. */
  readonly writers: Readonly<Record<string, string>>;
};

/** The name of a step and its place in the user's file, for messages. */
export interface Location {
  readonly step: string;
  readonly site: string;
}

/** Operators whose batches can have any number of rows, so the next step cuts the rows into new batches. */
const restartingOperators: ReadonlySet<string> = new Set(['flatMap', 'batch', 'global']);
/** Default batch size of a step that cuts its input into new batches. */
export const recutRowsDefault = 1_000;

/** Chooses the batches of a step with one upstream step: those of the input, unless `batchSize` is set or the input's batches can have any size. */
export function chooseCut(upstream: DraftStep, { batchSize }: ManifestOptions): Cut {
  if (batchSize !== null) return { kind: 'recut', rows: batchSize };
  return restartingOperators.has(upstream.operator) ? { kind: 'recut', rows: recutRowsDefault } : { kind: 'aligned' };
}

type SharedMembers = Pick<
  DraftStep,
  'name' | 'site' | 'upstream' | 'options' | 'columns' | 'inputColumns' | 'adds' | 'cut' | 'from' | 'fork' | 'forkCut' | 'writers'
>;

/** Builds the members of a step with one upstream step. Its columns are `columns`, or by default those of the input and `added`. */
export function buildSharedMembers(
  upstream: DraftStep,
  location: Location,
  options: ManifestOptions,
  { columns, added = [] }: { readonly columns?: readonly Column[]; readonly added?: readonly Column[] } = {},
): SharedMembers {
  const all = columns ?? [...upstream.columns, ...added];
  refuseTooMany(all, location);
  return {
    name: location.step,
    site: location.site,
    upstream: [upstream.name],
    cut: chooseCut(upstream, options),
    options,
    columns: all,
    inputColumns: upstream.columns.map(({ name }) => name),
    adds: added.map(({ name }) => name),
    from: [],
    fork: null,
    forkCut: '',
    writers: { ...upstream.writers, ...listWriters(location.step, added) },
  };
}

/** Returns the writers of columns that a step writes. */
export const listWriters = (step: string, columns: readonly Column[]): Record<string, string> =>
  Object.fromEntries(columns.map(({ name }) => [name, `${step}/${name}`]));

/** Refuses a step whose rows have more columns than can be stored. */
export function refuseTooMany(columns: readonly Column[], location: Location): void {
  if (columns.length > columnsMax) refuse(`its rows have ${columns.length} columns; at most ${columnsMax} are stored.`, location);
}

/** The inputs of a signature other than the operator, columns and options. */
export type SignatureInputs = Pick<DraftStep, 'id' | 'version' | 'code' | 'captures' | 'settings'>;

/** Collects the inputs of a step's signature. Refuses a function whose code cannot be read, unless the step has a version. */
export function collectSignatureInputs(
  step: { readonly id?: string | undefined; readonly settings?: unknown; readonly code?: unknown } & StepOptions,
  overrides: StepOptions | undefined,
  source: unknown,
  location: Location,
): SignatureInputs {
  const version = overrides?.version ?? step.version;
  const code = typeof step.code === 'string' ? step.code : readCode(source);
  if (code.endsWith(nativeCode) && version === undefined)
    refuse(
      'its function is bound or built in, so a change of its code cannot be detected. Write (row) => …, or give the step a version.',
      location,
    );
  return {
    id: step.id ?? null,
    version: version === undefined ? null : String(version),
    code,
    captures: overrides?.captures ?? step.captures ?? null,
    settings: step.settings ?? null,
  };
}

const nativeCode = '{ [native code] }';

/** Returns the text of a function. Rows given as values are not code and do not count towards the signature. */
const readCode = (source: unknown): string => (typeof source === 'function' ? Function.prototype.toString.call(source) : '');

/** Refuses a library step whose kind does not match the method that it was passed to. */
export function refuseOtherKind(kind: string, step: { readonly kind?: string | undefined }, location: Location): void {
  if (step.kind !== undefined && step.kind !== kind) refuse(`a ${step.kind} step was given to ${kind}.`, location);
}

/** Refuses a library step that reads columns its input does not have. */
export function refuseMissingColumns(
  { input, reads = {} }: Pick<FilterStep<never>, 'input' | 'reads'>,
  upstream: DraftStep,
  location: Location,
): void {
  const columnNames = new Set(upstream.columns.map((column) => column.name));
  const available = `${upstream.name} has ${listColumnNames(upstream)}`;
  for (const [name, schema] of Object.entries(input?.shape ?? {})) {
    if (columnNames.has(name) || schema._zod.optin === 'optional') continue;
    refuse(`it reads column ${name}, and ${available}. Rename with renamed(step, { ${name}: '…' }).`, location);
  }
  for (const [name, reader] of Object.entries(reads)) {
    if (!columnNames.has(name))
      refuse(`${reader} reads column ${name}, and ${available}. Name one of these, or add ${name} before this step.`, location);
  }
}

/** Lists the names of a step's columns, for messages. */
export const listColumnNames = ({ columns }: DraftStep): string => columns.map(({ name }) => name).join(', ');
