// Steps that merge branches.
import { joinedColumn, type ColumnOrigin } from '../../schema/index.ts';
import { checkName, unionSchema, listSchema, nullableSchema, type Column } from './column-schemas.ts';
import { recutRowsDefault, refuseTooMany, collectSignatureInputs, type DraftStep, type Location } from './draft-step.ts';
import { findFork } from './fork.ts';
import { resolveOptions } from './options.ts';
import { refuse } from './refuse.ts';
import type { StepOptions } from './steps.ts';

interface StepInput {
  readonly branches: readonly DraftStep[];
  readonly all: ReadonlyMap<string, DraftStep>;
  readonly overrides: StepOptions | undefined;
  readonly location: Location;
}

/** Builds a `join` step: matches rows one to one and keeps those that every branch still has. */
export function joinStep(lists: Readonly<Record<string, string>>, { branches, all, overrides, location }: StepInput): DraftStep {
  refuseTooFew('join', branches, location);
  const fork = findFork('join', branches, all, location);
  if (fork === null) {
    const names = branches.map(({ name }) => name).join(' and ');
    refuse(`${names} have no step in common, so their rows cannot be matched. To append one branch to the other, use union.`, location);
  }
  const names = [...new Set(branches.flatMap(({ columns }) => columns.map(({ name }) => name)))];
  for (const listed of Object.keys(lists))
    if (!names.includes(listed)) refuse(`lists names column ${listed}, and the branches have ${names.join(', ')}.`, location);
  const singleColumns = names.filter((name) => !Object.hasOwn(lists, name)).map((name) => resolveJoinedColumn(name, branches, location));
  const listColumns = Object.entries(lists).map(([name, listName]) => resolveListColumn(name, listName, branches, location));
  const columns = [...singleColumns, ...listColumns];
  const duplicate = columns.find(({ column }, index) => columns.findIndex((other) => other.column.name === column.name) !== index);
  if (duplicate) refuse(`two columns would be called ${duplicate.column.name}. Give the list another name.`, location);
  refuseTooMany(
    columns.map(({ column }) => column),
    location,
  );
  const { batchSize, ...options } = resolveOptions('join', {}, overrides, location);
  if (batchSize !== null) refuse('a join takes batches as its branches deliver them: it has no batchSize.', location);
  return {
    operator: 'join',
    name: location.step,
    site: location.site,
    upstream: branches.map(({ name }) => name),
    cut: { kind: 'aligned' },
    options: { ...options, batchSize },
    columns: columns.map(({ column }) => column),
    inputColumns: [],
    adds: branches.map((_, index) => joinedColumn(index)),
    from: columns.flatMap(({ origin }) => origin ?? []),
    fork: fork?.step ?? null,
    forkCut: fork?.cut ?? '',
    writers: Object.fromEntries(columns.map(({ column, writer }) => [column.name, writer ?? `${location.step}/${column.name}`])),
    ...collectSignatureInputs({}, overrides, undefined, location),
    settings: { lists },
  };
}

/** Builds a `union` step, which passes on the rows of every branch. */
export function unionStep({ branches, all, overrides, location }: StepInput): DraftStep {
  refuseTooFew('union', branches, location);
  const fork = findFork('union', branches, all, location);
  const names = [...new Set(branches.flatMap(({ columns }) => columns.map(({ name }) => name)))];
  const columns = names.map((name) => resolveUnionColumn(name, branches));
  const options = resolveOptions('union', {}, overrides, location);
  if (fork !== null && options.batchSize !== null)
    refuse('a union of branches that fork at one step keeps their batches, so it has no batchSize.', location);
  refuseTooMany(
    columns.map(({ column }) => column),
    location,
  );
  return {
    operator: 'union',
    name: location.step,
    site: location.site,
    upstream: branches.map(({ name }) => name),
    cut: fork === null ? { kind: 'recut', rows: options.batchSize ?? recutRowsDefault } : { kind: 'aligned' },
    options,
    columns: columns.map(({ column }) => column),
    inputColumns: [],
    adds: [],
    from: columns.flatMap(({ origin }) => origin ?? []),
    fork: fork?.step ?? null,
    forkCut: fork?.cut ?? '',
    writers: Object.fromEntries(columns.map(({ column, writer }) => [column.name, writer ?? `${location.step}/${column.name}`])),
    ...collectSignatureInputs({}, overrides, undefined, location),
  };
}

interface MergedColumn {
  readonly column: Column;
  readonly origin: ColumnOrigin | null;
  /** The writer of the column if all branches have the same one, else null. */
  readonly writer: string | null;
}

function resolveJoinedColumn(name: string, branches: readonly DraftStep[], location: Location): MergedColumn {
  const owners = branches.filter((branch) => findSchema(branch, name));
  const writers = new Set(owners.map(({ writers: branchWriters }) => branchWriters[name] ?? ''));
  if (writers.size > 1) {
    const by = owners.map((branch) => branch.name).join(' and ');
    refuse(
      `${by} each have a column ${name} of their own. Collect it in a list, { lists: { ${name}: '${name}s' } }, or rename one of them first.`,
      location,
    );
  }
  const first = owners[0] as DraftStep;
  const index = branches.indexOf(first);
  return {
    column: { name, schema: findSchema(first, name) ?? {} },
    origin: index === 0 ? null : { column: name, of: name, upstream: [index], isList: false },
    writer: first.writers[name] ?? null,
  };
}

function resolveListColumn(name: string, listName: string, branches: readonly DraftStep[], location: Location): MergedColumn {
  if (typeof listName !== 'string') refuse(`lists must name the new column for ${name}: { ${name}: '${name}s' }.`, location);
  const upstream = branches.flatMap((branch, index) => (findSchema(branch, name) ? index : []));
  const schemas = findSchemas(branches, name);
  return {
    column: { name: checkName(listName, location), schema: listSchema(schemas) },
    origin: { column: listName, of: name, upstream, isList: true },
    writer: null,
  };
}

function resolveUnionColumn(name: string, branches: readonly DraftStep[]): MergedColumn {
  const upstream = branches.flatMap((branch, index) => (findSchema(branch, name) ? index : []));
  const schema = unionSchema(findSchemas(branches, name));
  const isEverywhere = upstream.length === branches.length;
  const writers = new Set(branches.map(({ writers: branchWriters }) => branchWriters[name]));
  return {
    column: { name, schema: isEverywhere ? schema : nullableSchema(schema) },
    origin: isEverywhere ? null : { column: name, of: name, upstream, isList: false },
    writer: isEverywhere && writers.size === 1 ? (branches[0]?.writers[name] ?? null) : null,
  };
}

const findSchemas = (branches: readonly DraftStep[], name: string): readonly Column['schema'][] =>
  branches.map((branch) => findSchema(branch, name)).filter((schema) => schema !== undefined);

const findSchema = ({ columns }: DraftStep, wanted: string): Column['schema'] | undefined =>
  columns.find(({ name }) => name === wanted)?.schema;

function refuseTooFew(what: string, branches: readonly DraftStep[], location: Location): void {
  if (branches.length < 2) refuse(`a ${what} takes a list of at least two nodes.`, location);
  const duplicate = branches.find((branch, index) => branches.indexOf(branch) !== index);
  if (duplicate) refuse(`${duplicate.name} is given twice.`, location);
}
