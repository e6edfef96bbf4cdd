import { namePattern, nameLengthMax, stepsMax, type Cut, type ManifestOptions } from '#schema';
import { columnsMax, columnsOf, type Column } from './column-schemas.ts';
import type { Columns, Rows } from './columns.ts';
import type { Context, ReadContext } from './context.ts';
import { optionsOf } from './options.ts';
import type { Node } from './node.ts';
import { callSite, refuse } from './refuse.ts';
import { rowCheck } from './row-check.ts';
import type { FilterRunnable, MapRunnable, SelectRunnable, SourceRunnable } from './runnable.ts';
import type { FilterStep, MapStep, SourceStep, StepOptions } from './steps.ts';

/** Items that a source's batch reads where nobody says. */
const sourceRowsDefault = 100;

/** A step as one run of the definition left it: runnable but for its signature, with what the signature is made of. */
export type DraftStep = (
  | Omit<SourceRunnable, 'signature'>
  | Omit<MapRunnable, 'signature'>
  | Omit<FilterRunnable, 'signature'>
  | Omit<SelectRunnable, 'signature'>
) & {
  readonly site: string;
  readonly id: string | null;
  readonly version: string | null;
  readonly code: string;
  readonly captures: unknown;
  readonly settings: unknown;
};

type AnyMap = MapStep<never, Columns>;
type AnySource = SourceStep<Columns>;

/** Collects the steps that a definition makes. */
export class Draft {
  readonly steps: DraftStep[] = [];
  readonly #nodes = new WeakMap<object, string>();
  #isOver = false;

  /** Ends the definition: from now on its nodes are another pipeline's, or come too late. */
  end(): void {
    this.#isOver = true;
  }

  /** Whether a value is a node of this very definition, and which step's. */
  stepOf(node: unknown): string | undefined {
    return typeof node === 'object' && node !== null ? this.#nodes.get(node) : undefined;
  }

  source(name: string, step: AnySource, beside: StepOptions | undefined, site: string): Node<never> {
    const where = this.#begin(name, site);
    if (typeof step !== 'object' || step === null) refuse('a source is an object with output, and rows or read.', where);
    const { rows, read } = step;
    if ((rows === undefined) === (read === undefined)) refuse('a source has either rows or read.', where);
    if (read !== undefined && typeof read !== 'function') refuse('read must be a function of where to begin: ({ offset }) => rows.', where);
    if (rows !== undefined && !isRows(rows)) refuse('rows must be a list, an iterable or a function that returns one.', where);
    if (isOneShot(rows))
      refuse('rows can be read once only, and are read again after a failure: give what makes them, rows: () => ….', where);
    isOfKind('source', step, where);
    const options = optionsOf('source', step, beside, where);
    const columns = columnsOf(step.output, where);
    const count = step.count;
    if (count !== undefined && typeof count !== 'function' && !(Number.isSafeInteger(count) && count >= 0))
      refuse(`count must be a whole number or a function, and is ${String(count)}.`, where);
    if (step.origin !== undefined && typeof step.origin !== 'function') refuse('origin must be a function.', where);
    return this.#add({
      operator: 'source',
      ...shared(where, options, columns, columns, null),
      cut: { kind: 'source', rows: options.batchSize ?? sourceRowsDefault },
      open: read ? (context: ReadContext) => read(context) : (context: ReadContext) => skipping(rows as RowsGiven, context.offset),
      count: count === undefined ? (Array.isArray(rows) ? () => rows.length : null) : typeof count === 'function' ? count : () => count,
      origin: step.origin ?? null,
      check: rowCheck(step.output),
      ...signed(step, beside, read ?? rows, where),
    });
  }

  map(upstream: DraftStep, name: string, step: AnyMap, beside: StepOptions | undefined, site: string): Node<never> {
    const where = this.#begin(name, site);
    if (typeof step !== 'object' || step === null || typeof step.run !== 'function')
      refuse('a map is an object with output and a function run.', where);
    isOfKind('map', step, where);
    const options = optionsOf('map', step, beside, where);
    const added = columnsOf(step.output, where);
    const twice = added.find((column) => upstream.columns.some((other) => other.name === column.name));
    if (twice) refuse(`column ${twice.name} exists: ${upstream.name} has it. Give the new one another name.`, where);
    needs(step, upstream, where);
    const columns = [...upstream.columns, ...added];
    if (columns.length > columnsMax) refuse(`its rows have ${columns.length} columns; at most ${columnsMax} are stored.`, where);
    return this.#add({
      operator: 'map',
      ...shared(where, options, columns, added, upstream),
      call: (row: unknown, context: Context) => (step.run as (row: unknown, context: Context) => unknown)(row, context),
      check: rowCheck(step.output),
      ...signed(step, beside, step.run, where),
    });
  }

  filter(upstream: DraftStep, name: string, step: FilterStep<never>, beside: StepOptions | undefined, site: string): Node<never> {
    const where = this.#begin(name, site);
    if (typeof step !== 'object' || step === null || typeof step.keep !== 'function')
      refuse('a filter is an object with a function keep.', where);
    isOfKind('filter', step, where);
    needs(step, upstream, where);
    return this.#add({
      operator: 'filter',
      ...shared(where, optionsOf('filter', step, beside, where), upstream.columns, [], upstream),
      call: (row: unknown, context: Context) => (step.keep as (row: unknown, context: Context) => unknown)(row, context),
      ...signed(step, beside, step.keep, where),
    });
  }

  select(upstream: DraftStep, name: string, names: readonly string[], beside: StepOptions | undefined, site: string): Node<never> {
    const where = this.#begin(name, site);
    if (!Array.isArray(names) || names.length === 0) refuse('select takes a list of at least one column.', where);
    const columns = names.map((each: string, index): Column => {
      const column = upstream.columns.find((other) => other.name === each);
      if (!column)
        refuse(`there is no column ${each}; ${upstream.name} has ${upstream.columns.map((other) => other.name).join(', ')}.`, where);
      if (names.indexOf(each) !== index) refuse(`column ${each} is named twice.`, where);
      return column;
    });
    return this.#add({
      operator: 'select',
      ...shared(where, optionsOf('select', {}, beside, where), columns, [], upstream),
      ...signed({}, beside, undefined, where),
    });
  }

  #begin(name: unknown, site: string): { readonly step: string; readonly site: string } {
    if (typeof name !== 'string' || !namePattern.test(name) || name.length > nameLengthMax) {
      refuse(`${JSON.stringify(name)} cannot be a step's name: use letters, digits, _ and -, at most ${nameLengthMax}.`, { site });
    }
    if (this.#isOver) {
      const what = 'what it is made from is of another pipeline, or of a definition that has ended';
      refuse(`${what}: make steps from this pipeline's own nodes, while its definition runs.`, { step: name, site });
    }
    const before = this.steps.find((step) => step.name === name);
    if (before) refuse(`there are two steps of this name: the first ${before.site || 'comes earlier'}. Rename one.`, { step: name, site });
    if (this.steps.length >= stepsMax) refuse(`a pipeline has at most ${stepsMax} steps.`, { step: name, site });
    return { step: name, site };
  }

  #add(step: DraftStep): Node<never> {
    this.steps.push(step);
    // Named functions, so that a call site can be told from the stack.
    const make = { map: this.map.bind(this), filter: this.filter.bind(this), select: this.select.bind(this) };
    const node: Node<never> = Object.freeze({
      name: step.name,
      map: function map(name: string, of: AnyMap, options?: StepOptions) {
        return make.map(step, name, of, options, callSite(map));
      },
      filter: function filter(name: string, of: FilterStep<never>, options?: StepOptions) {
        return make.filter(step, name, of, options, callSite(filter));
      },
      select: function select(name: string, columns: readonly string[], options?: StepOptions) {
        return make.select(step, name, columns, options, callSite(select));
      },
    });
    this.#nodes.set(node, step.name);
    return node;
  }
}

function shared(
  where: { readonly step: string; readonly site: string },
  options: ManifestOptions,
  columns: readonly Column[],
  added: readonly Column[],
  upstream: DraftStep | null,
): Pick<DraftStep, 'name' | 'site' | 'upstream' | 'options' | 'columns' | 'inputColumns' | 'adds' | 'cut'> {
  const cut: Cut = options.batchSize === null ? { kind: 'aligned' } : { kind: 'recut', rows: options.batchSize };
  return {
    name: where.step,
    site: where.site,
    upstream: upstream ? [upstream.name] : [],
    cut,
    options,
    columns,
    inputColumns: upstream?.columns.map(({ name }) => name) ?? [],
    adds: added.map(({ name }) => name),
  };
}

type Signed = Pick<DraftStep, 'id' | 'version' | 'code' | 'captures' | 'settings'>;

function signed(
  step: { readonly id?: string | undefined; readonly settings?: unknown; readonly code?: unknown } & StepOptions,
  beside: StepOptions | undefined,
  written: unknown,
  where: { readonly step: string; readonly site: string },
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

function isOfKind(
  kind: string,
  step: { readonly kind?: string | undefined },
  where: { readonly step: string; readonly site: string },
): void {
  if (step.kind !== undefined && step.kind !== kind) refuse(`a ${step.kind} step was given to ${kind}.`, where);
}

function needs(
  { input, reads = {} }: Pick<AnyMap, 'input' | 'reads'>,
  upstream: DraftStep,
  where: { readonly step: string; readonly site: string },
): void {
  const has = new Set(upstream.columns.map((column) => column.name));
  const there = `${upstream.name} has ${[...has].join(', ')}`;
  for (const [name, schema] of Object.entries(input?.shape ?? {})) {
    if (has.has(name) || schema._zod.optin === 'optional') continue;
    refuse(`it reads column ${name}, and ${there}. Rename with renamed(step, { ${name}: '…' }).`, where);
  }
  for (const [name, reader] of Object.entries(reads)) {
    if (!has.has(name)) refuse(`${reader} reads column ${name}, and ${there}. Name one of these, or add ${name} before.`, where);
  }
}

type RowsGiven = Rows<unknown> | (() => Rows<unknown> | Promise<Rows<unknown>>);

const isRows = (rows: unknown): boolean =>
  typeof rows === 'function' || (typeof rows === 'object' && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows));

/** Iterators and streams: once read they are used up. */
const isOneShot = (rows: unknown): boolean =>
  typeof rows === 'object' && rows !== null && ['next', 'pipe', 'getReader'].some((method) => method in rows);

/** Rows that are given as they are: what was read before is passed over. */
async function skipping(rows: RowsGiven, offset: number): Promise<Rows<unknown>> {
  const given = typeof rows === 'function' ? await rows() : rows;
  if (Array.isArray(given)) return offset === 0 ? given : given.slice(offset);
  return Symbol.asyncIterator in given ? skippedAsync(given, offset) : skipped(given, offset);
}

function* skipped(rows: Iterable<unknown>, offset: number): Generator<unknown> {
  let item = 0;
  for (const row of rows) if (item++ >= offset) yield row;
}

async function* skippedAsync(rows: AsyncIterable<unknown>, offset: number): AsyncGenerator<unknown> {
  let item = 0;
  for await (const row of rows) if (item++ >= offset) yield row;
}
