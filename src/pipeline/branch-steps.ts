// Steps that bring branches together.
import { joinedColumn, type ColumnOrigin } from '../../schema/index.ts';
import { checkedName, eitherOf, listOf, orNull, type Column } from './column-schemas.ts';
import { recutRowsDefault, refuseTooMany, signed, type DraftStep, type Where } from './draft-step.ts';
import { forkOf } from './fork.ts';
import { optionsOf } from './options.ts';
import { refuse } from './refuse.ts';
import type { StepOptions } from './steps.ts';

interface Given {
  readonly branches: readonly DraftStep[];
  readonly all: ReadonlyMap<string, DraftStep>;
  readonly beside: StepOptions | undefined;
  readonly where: Where;
}

/** `join`: the rows that every branch still has, one to one. */
export function joiningStep(lists: Readonly<Record<string, string>>, { branches, all, beside, where }: Given): DraftStep {
  refuseFew('join', branches, where);
  const fork = forkOf('join', branches, all, where);
  if (fork === null) {
    const names = branches.map(({ name }) => name).join(' and ');
    refuse(`${names} have no step in common, so their rows cannot be matched. To put them one after the other, use union.`, where);
  }
  const names = [...new Set(branches.flatMap(({ columns }) => columns.map(({ name }) => name)))];
  for (const listed of Object.keys(lists))
    if (!names.includes(listed)) refuse(`lists names column ${listed}, and the branches have ${names.join(', ')}.`, where);
  const single = names.filter((name) => !Object.hasOwn(lists, name)).map((name) => joinedColumnOf(name, branches, where));
  const gathered = Object.entries(lists).map(([name, to]) => gatheredColumnOf(name, to, branches, where));
  const columns = [...single, ...gathered];
  const twice = columns.find(({ column }, index) => columns.findIndex((other) => other.column.name === column.name) !== index);
  if (twice) refuse(`two columns would be called ${twice.column.name}. Give the list another name.`, where);
  refuseTooMany(
    columns.map(({ column }) => column),
    where,
  );
  const { batchSize, ...options } = optionsOf('join', {}, beside, where);
  if (batchSize !== null) refuse('a join takes batches as its branches deliver them: it has no batchSize.', where);
  return {
    operator: 'join',
    name: where.step,
    site: where.site,
    upstream: branches.map(({ name }) => name),
    cut: { kind: 'aligned' },
    options: { ...options, batchSize },
    columns: columns.map(({ column }) => column),
    inputColumns: [],
    adds: branches.map((_, index) => joinedColumn(index)),
    from: columns.flatMap(({ origin }) => origin ?? []),
    fork: fork?.step ?? null,
    forkCut: fork?.cut ?? '',
    writers: Object.fromEntries(columns.map(({ column, writer }) => [column.name, writer ?? `${where.step}/${column.name}`])),
    ...signed({}, beside, undefined, where),
    settings: { lists },
  };
}

/** `union`: the rows of every branch. */
export function unitingStep({ branches, all, beside, where }: Given): DraftStep {
  refuseFew('union', branches, where);
  const fork = forkOf('union', branches, all, where);
  const names = [...new Set(branches.flatMap(({ columns }) => columns.map(({ name }) => name)))];
  const columns = names.map((name) => unitedColumnOf(name, branches));
  const options = optionsOf('union', {}, beside, where);
  if (fork !== null && options.batchSize !== null)
    refuse('branches that part at one step come together batch by batch: such a union has no batchSize.', where);
  refuseTooMany(
    columns.map(({ column }) => column),
    where,
  );
  return {
    operator: 'union',
    name: where.step,
    site: where.site,
    upstream: branches.map(({ name }) => name),
    cut: fork === null ? { kind: 'recut', rows: options.batchSize ?? recutRowsDefault } : { kind: 'aligned' },
    options,
    columns: columns.map(({ column }) => column),
    inputColumns: [],
    adds: [],
    from: columns.flatMap(({ origin }) => origin ?? []),
    fork: fork?.step ?? null,
    forkCut: fork?.cut ?? '',
    writers: Object.fromEntries(columns.map(({ column, writer }) => [column.name, writer ?? `${where.step}/${column.name}`])),
    ...signed({}, beside, undefined, where),
  };
}

interface Brought {
  readonly column: Column;
  readonly origin: ColumnOrigin | null;
  /** What wrote it, where that is one step for all branches. */
  readonly writer: string | null;
}

function joinedColumnOf(name: string, branches: readonly DraftStep[], where: Where): Brought {
  const having = branches.filter((branch) => schemaOf(branch, name));
  const writers = new Set(having.map(({ writers: of }) => of[name] ?? ''));
  if (writers.size > 1) {
    const by = having.map((branch) => branch.name).join(' and ');
    refuse(`${by} each have a column ${name} of their own. Gather it, { lists: { ${name}: '${name}s' } }, or rename one before.`, where);
  }
  const first = having[0] as DraftStep;
  const index = branches.indexOf(first);
  return {
    column: { name, schema: schemaOf(first, name) ?? {} },
    origin: index === 0 ? null : { column: name, of: name, upstream: [index], isList: false },
    writer: first.writers[name] ?? null,
  };
}

function gatheredColumnOf(name: string, to: string, branches: readonly DraftStep[], where: Where): Brought {
  if (typeof to !== 'string') refuse(`lists gives column ${name} no name: { ${name}: '${name}s' }.`, where);
  const upstream = branches.flatMap((branch, index) => (schemaOf(branch, name) ? index : []));
  const schemas = schemasOf(branches, name);
  return {
    column: { name: checkedName(to, where), schema: listOf(schemas) },
    origin: { column: to, of: name, upstream, isList: true },
    writer: null,
  };
}

function unitedColumnOf(name: string, branches: readonly DraftStep[]): Brought {
  const upstream = branches.flatMap((branch, index) => (schemaOf(branch, name) ? index : []));
  const schema = eitherOf(schemasOf(branches, name));
  const isEverywhere = upstream.length === branches.length;
  const writers = new Set(branches.map(({ writers: of }) => of[name]));
  return {
    column: { name, schema: isEverywhere ? schema : orNull(schema) },
    origin: isEverywhere ? null : { column: name, of: name, upstream, isList: false },
    writer: isEverywhere && writers.size === 1 ? (branches[0]?.writers[name] ?? null) : null,
  };
}

const schemasOf = (branches: readonly DraftStep[], name: string): readonly Column['schema'][] =>
  branches.map((branch) => schemaOf(branch, name)).filter((schema) => schema !== undefined);

const schemaOf = ({ columns }: DraftStep, wanted: string): Column['schema'] | undefined =>
  columns.find(({ name }) => name === wanted)?.schema;

function refuseFew(what: string, branches: readonly DraftStep[], where: Where): void {
  if (branches.length < 2) refuse(`a ${what} takes a list of at least two nodes.`, where);
  const twice = branches.find((branch, index) => branches.indexOf(branch) !== index);
  if (twice) refuse(`${twice.name} is given twice.`, where);
}
