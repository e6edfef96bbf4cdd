// Steps that change the columns of rows without calling a function.
import { nameLengthMax } from '../../schema/index.ts';
import { checkName, nonNullSchema, type Column } from './column-schemas.ts';
import { buildSharedMembers, listColumnNames, collectSignatureInputs, type DraftStep, type Location } from './draft-step.ts';
import { resolveOptions } from './options.ts';
import { refuse } from './refuse.ts';
import type { StepOptions } from './steps.ts';

interface StepInput {
  readonly upstream: DraftStep;
  readonly overrides: StepOptions | undefined;
  readonly location: Location;
}

/** Builds a `select` step, which keeps only these columns. */
export function selectStep(names: readonly string[], { upstream, overrides, location }: StepInput): DraftStep {
  const columns = findColumns('select', names, upstream, location);
  return buildPassingStep('select', upstream, columns, overrides, location);
}

/** Builds a `drop` step, which keeps all columns except these. */
export function dropStep(names: readonly string[], { upstream, overrides, location }: StepInput): DraftStep {
  const dropped = new Set(findColumns('drop', names, upstream, location));
  const columns = upstream.columns.filter((column) => !dropped.has(column));
  if (columns.length === 0) refuse(`no column of ${upstream.name} is left: it has ${listColumnNames(upstream)}.`, location);
  return buildPassingStep('drop', upstream, columns, overrides, location);
}

/** Builds a `rename` step, which gives columns other names. */
export function renameStep(names: Readonly<Record<string, string>>, { upstream, overrides, location }: StepInput): DraftStep {
  if (typeof names !== 'object' || names === null || Object.keys(names).length === 0)
    refuse('rename takes an object of at least one column and its new name: { old: "new" }.', location);
  findColumns('rename', Object.keys(names), upstream, location);
  const newName = (name: string) => (Object.hasOwn(names, name) ? (names[name] ?? name) : name);
  const columns = upstream.columns.map(({ name, schema }): Column => ({ name: checkName(newName(name), location), schema }));
  const duplicate = columns.find(({ name }, index) => columns.findIndex((other) => other.name === name) !== index);
  if (duplicate)
    refuse(`two columns would be called ${duplicate.name}. Give one another name of at most ${nameLengthMax} characters.`, location);
  const from = upstream.columns
    .filter(({ name }) => newName(name) !== name)
    .map(({ name }) => ({ column: newName(name), of: name, upstream: [0], isList: false }));
  const writers = Object.fromEntries(upstream.columns.map(({ name }) => [newName(name), upstream.writers[name] ?? '']));
  return { ...buildPassingStep('rename', upstream, columns, overrides, location), from, writers, settings: { names } };
}

/** Builds a `nonNull` step, which keeps the rows in which none of these columns is null. */
export function nonNullStep(names: readonly string[], { upstream, overrides, location }: StepInput): DraftStep {
  const wanted = new Set(findColumns('nonNull', names, upstream, location));
  const columns = upstream.columns.map((column) => (wanted.has(column) ? { ...column, schema: nonNullSchema(column.schema) } : column));
  return {
    ...buildPassingStep('select', upstream, columns, overrides, location),
    operator: 'nonNull',
    inputColumns: [...names],
    settings: { columns: [...names] },
  };
}

function buildPassingStep(
  operator: 'select' | 'drop' | 'rename',
  upstream: DraftStep,
  columns: readonly Column[],
  overrides: StepOptions | undefined,
  location: Location,
): Extract<DraftStep, { readonly operator: 'select' | 'drop' | 'rename' | 'union' | 'join' }> {
  return {
    operator,
    ...buildSharedMembers(upstream, location, resolveOptions(operator, {}, overrides, location), { columns }),
    ...collectSignatureInputs({}, overrides, undefined, location),
  };
}

function findColumns(what: string, names: readonly string[], upstream: DraftStep, location: Location): readonly Column[] {
  if (!Array.isArray(names) || names.length === 0) refuse(`${what} takes a list of at least one column.`, location);
  return names.map((wanted: string, index) => {
    const column = upstream.columns.find(({ name }) => name === wanted);
    if (!column) refuse(`there is no column ${wanted}; ${upstream.name} has ${listColumnNames(upstream)}.`, location);
    if (names.indexOf(wanted) !== index) refuse(`column ${wanted} is named twice.`, location);
    return column;
  });
}
