// Steps that change which columns rows have, and call nothing.
import { nameLengthMax } from '../../schema/index.ts';
import { checkedName, notNull, type Column } from './column-schemas.ts';
import { behind, namesOf, signed, type DraftStep, type Where } from './draft-step.ts';
import { optionsOf } from './options.ts';
import { refuse } from './refuse.ts';
import type { StepOptions } from './steps.ts';

interface Given {
  readonly upstream: DraftStep;
  readonly beside: StepOptions | undefined;
  readonly where: Where;
}

/** `select`: these columns only. */
export function selectingStep(names: readonly string[], { upstream, beside, where }: Given): DraftStep {
  const columns = found('select', names, upstream, where);
  return passing('select', upstream, columns, beside, where);
}

/** `drop`: all but these columns. */
export function droppingStep(names: readonly string[], { upstream, beside, where }: Given): DraftStep {
  const dropped = new Set(found('drop', names, upstream, where));
  const columns = upstream.columns.filter((column) => !dropped.has(column));
  if (columns.length === 0) refuse(`nothing is left of ${upstream.name}: it has ${namesOf(upstream)}.`, where);
  return passing('drop', upstream, columns, beside, where);
}

/** `rename`: columns under other names. */
export function renamingStep(names: Readonly<Record<string, string>>, { upstream, beside, where }: Given): DraftStep {
  if (typeof names !== 'object' || names === null || Object.keys(names).length === 0)
    refuse('rename takes an object of at least one column and its new name: { old: "new" }.', where);
  found('rename', Object.keys(names), upstream, where);
  const renamed = (name: string) => (Object.hasOwn(names, name) ? (names[name] ?? name) : name);
  const columns = upstream.columns.map(({ name, schema }): Column => ({ name: checkedName(renamed(name), where), schema }));
  const twice = columns.find(({ name }, index) => columns.findIndex((other) => other.name === name) !== index);
  if (twice) refuse(`two columns would be called ${twice.name}. Give one another name of at most ${nameLengthMax} characters.`, where);
  const from = upstream.columns
    .filter(({ name }) => renamed(name) !== name)
    .map(({ name }) => ({ column: renamed(name), of: name, upstream: [0], isList: false }));
  const writers = Object.fromEntries(upstream.columns.map(({ name }) => [renamed(name), upstream.writers[name] ?? '']));
  return { ...passing('rename', upstream, columns, beside, where), from, writers, settings: { names } };
}

/** `nonNull`: the rows in which none of these columns is null. */
export function nonNullStep(names: readonly string[], { upstream, beside, where }: Given): DraftStep {
  const wanted = new Set(found('nonNull', names, upstream, where));
  const columns = upstream.columns.map((column) => (wanted.has(column) ? { ...column, schema: notNull(column.schema) } : column));
  return {
    ...passing('select', upstream, columns, beside, where),
    operator: 'nonNull',
    inputColumns: [...names],
    settings: { columns: [...names] },
  };
}

function passing(
  operator: 'select' | 'drop' | 'rename',
  upstream: DraftStep,
  columns: readonly Column[],
  beside: StepOptions | undefined,
  where: Where,
): Extract<DraftStep, { readonly operator: 'select' | 'drop' | 'rename' | 'union' | 'join' }> {
  return {
    operator,
    ...behind(upstream, where, optionsOf(operator, {}, beside, where), { columns }),
    ...signed({}, beside, undefined, where),
  };
}

function found(what: string, names: readonly string[], upstream: DraftStep, where: Where): readonly Column[] {
  if (!Array.isArray(names) || names.length === 0) refuse(`${what} takes a list of at least one column.`, where);
  return names.map((each: string, index) => {
    const column = upstream.columns.find(({ name }) => name === each);
    if (!column) refuse(`there is no column ${each}; ${upstream.name} has ${namesOf(upstream)}.`, where);
    if (names.indexOf(each) !== index) refuse(`column ${each} is named twice.`, where);
    return column;
  });
}
