// Random pipelines of every operator, and what each step must put out: whole tables, no batches, no scheduler.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { canonicalJson, type Json, type JsonObject } from '../../../src/kit/json.ts';
import { NonRetryableError, pipeline, plan, RetryableError, type Pipeline, type Plan } from '../../../src/pipeline/index.ts';
import { hashed, randomFrom } from '../random.ts';

const operators = [
  'join',
  'join',
  'join',
  'union',
  'union',
  'map',
  'mapBatch',
  'flatMap',
  'replace',
  'filter',
  'nonNull',
  'route',
  'select',
  'drop',
  'rename',
  'batch',
  'global',
  'join',
  'union',
] as const;
type OperatorName = (typeof operators)[number];

interface StepSpec {
  readonly name: string;
  readonly operator: OperatorName | 'source';
  readonly upstream: readonly string[];
  readonly batchSize: number | undefined;
  /** The columns that it is about: those to select, to replace, to gather. */
  readonly columns: readonly string[];
}

export interface World {
  readonly seed: number;
  readonly steps: readonly StepSpec[];
  readonly items: number;
  /** Rows that are rejected the first time come through once this is set. */
  isRepaired: boolean;
  /** Characters of a source's text; without it, the source's name. */
  readonly textLength?: number;
  /** How long a slow row takes; without it, a turn of the event loop. */
  readonly slowMs?: number;
  /** The column that identifies the rows of sources. */
  readonly key?: 'n';
  /** Told of each call of a function of one row: its step, its key, and the row as text. */
  readonly onCall?: (step: string, key: string, row: string) => void;
}

/** A random world. A step that the definition refuses is left out. */
export function randomWorld(seed: number): World {
  const random = randomFrom(seed * 104729 + 3);
  const source = { operator: 'source', upstream: [], columns: [] } as const;
  const steps: StepSpec[] = [{ ...source, name: 'source', batchSize: 1 + random.below(12) }];
  if (random.chance(0.2)) steps.push({ ...source, name: 'other', batchSize: 5 });
  const world: World = { seed, items: random.below(120), isRepaired: false, steps };
  let nodes = plan(pipelineOf(world)).steps;
  for (let tries = 6 + random.below(24); tries > 0; tries--) {
    const operator = random.pick(operators);
    const several = operator === 'join' || operator === 'union';
    const names = Array.from(nodes.keys()).filter((name) => nodes.get(name)?.operator !== 'route');
    const columnsOf = (name: string) => nodes.get(name)?.columns.map((column) => column.name) ?? [];
    // Branches that can be brought together are rare among any two nodes.
    for (let again = several ? 12 : 1; again > 0; again--) {
      const upstream = [...new Set(Array.from({ length: several ? 2 + random.below(2) : 1 }, () => random.pick(names)))];
      const all = upstream.flatMap(columnsOf);
      const columns = operator === 'join' ? all.filter((name, index) => name !== 'n' && all.indexOf(name) !== index) : all;
      const batchSize = random.chance(operator === 'union' ? 0.1 : 0.25) ? 1 + random.below(15) : undefined;
      steps.push({ name: `${operator}${tries}`, operator, upstream, batchSize, columns: [...new Set(columns)] });
      try {
        nodes = plan(pipelineOf(world)).steps;
        break;
      } catch {
        steps.pop();
      }
    }
  }
  return world;
}

const rejects = (world: World, step: string, row: unknown): boolean => !world.isRepaired && hashed('reject', step, textOf(row)) % 17 === 0;
const sourceText = ({ textLength = 0 }: World, name: string): string => name.padEnd(textLength);
const textOf = (row: unknown): string => canonicalJson(row);
/** What a step makes of a row: depends on nothing but both. */
const valueOf = (step: string, row: unknown): number | null => {
  const hash = hashed('value', step, textOf(row));
  return hash % 5 === 0 ? null : hash % 1000;
};
const isKept = (step: string, row: unknown): boolean => hashed('keep', step, textOf(row)) % 4 !== 0;
const branchOf = (step: string, row: unknown): 'left' | 'right' => (hashed('way', step, textOf(row)) % 3 === 0 ? 'left' : 'right');
const copiesOf = (step: string, row: unknown): number => hashed('copies', step, textOf(row)) % 4;

const nullable = z.int().nullable();

/** The world as its user would write it. Rows fail once now and then, by their place and attempt. */
export function pipelineOf(world: World): Pipeline {
  return pipeline('random', ({ source, join, union }) => {
    // Untyped: which columns there are is a matter of chance here.
    const nodes = new Map<string, never>();
    const attempted = (step: string, row: object, { attempt, key }: { attempt: number; key: string }) => {
      world.onCall?.(step, key, textOf(row));
      if (attempt === 1 && hashed('flaky', step, key.slice(key.indexOf('/'))) % 19 === 0) throw new RetryableError('not yet');
      if (rejects(world, step, row)) throw new NonRetryableError('never', { code: 'unlucky' });
    };
    const dawdled = async (step: string, row: object) => {
      if (hashed('slow', step, textOf(row)) % 7 === 0) await (world.slowMs ? sleep(world.slowMs) : new Promise(setImmediate));
    };
    for (const { name, operator, upstream, batchSize, columns } of world.steps) {
      const [node] = upstream.map((each) => nodes.get(each)) as [never];
      const [first = ''] = columns;
      const options = { batchSize, retry: { backoffMs: 0 }, version: 1 } as never;
      const column = z.object({ [name]: nullable });
      const made = (() => {
        switch (operator) {
          case 'source': {
            const rows = Array.from({ length: world.items }, (_, n) => ({ n, of: sourceText(world, name) }));
            return source(name, { output: z.object({ n: z.int(), of: z.string() }), rows, key: world.key }, options);
          }
          case 'map':
            return call(node, 'map', name, options, {
              output: column,
              run: async (row: object, context: never) => {
                attempted(name, row, context);
                await dawdled(name, row);
                return { [name]: valueOf(name, row) };
              },
            });
          case 'mapBatch':
            return call(node, 'mapBatch', name, options, {
              output: column,
              run: (rows: readonly object[]) =>
                rows.map((row) =>
                  rejects(world, name, row) ? new NonRetryableError('never', { code: 'unlucky' }) : { [name]: valueOf(name, row) },
                ),
            });
          case 'flatMap':
            return call(node, 'flatMap', name, options, {
              output: column,
              run: async function* (row: object, context: never) {
                attempted(name, row, context);
                await dawdled(name, row);
                for (let copy = 0; copy < copiesOf(name, row); copy++) yield { [name]: copy };
              },
            });
          case 'replace':
            return call(node, 'replace', name, options, {
              output: z.object({ [first]: nullable }),
              run: (row: object, context: never) => {
                attempted(name, row, context);
                return { [first]: valueOf(name, row) };
              },
            });
          case 'filter':
            return call(node, 'filter', name, options, {
              keep: (row: object, context: never) => {
                attempted(name, row, context);
                return isKept(name, row);
              },
            });
          case 'route':
            return call(node, 'route', name, options, {
              branches: ['left', 'right'],
              to: (row: object, context: never) => {
                attempted(name, row, context);
                return branchOf(name, row);
              },
            });
          case 'batch':
            return call(node, 'batch', name, options, {
              output: z.object({ [name]: z.int() }),
              run: (rows: readonly object[]) => [{ [name]: rows.length }, { [name]: hashed(...rows.map(textOf)) % 1000 }],
            });
          case 'global':
            return call(node, 'global', name, { retry: { backoffMs: 0 } } as never, {
              output: z.object({ [name]: z.int() }),
              run: async function* (rows: AsyncIterable<object>) {
                let count = 0;
                for await (const row of rows) if (++count % 2 === 0) yield { [name]: hashed(textOf(row)) % 1000 };
              },
            });
          case 'nonNull':
            return call(node, 'nonNull', name, { batchSize } as never, columns.slice(-1));
          case 'select':
            return call(node, 'select', name, { batchSize } as never, columns.toReversed().slice(0, 3));
          case 'drop':
            return call(node, 'drop', name, { batchSize } as never, columns.slice(0, 1));
          case 'rename':
            return call(node, 'rename', name, { batchSize } as never, { [first]: `${name}-renamed` });
          case 'join':
            return join(name, upstream.map((each) => nodes.get(each)) as never, {
              lists: Object.fromEntries(columns.map((each) => [each, `${each}+`])) as never,
            });
          case 'union':
            return union(name, upstream.map((each) => nodes.get(each)) as never, { batchSize } as never);
        }
      })();
      if (operator === 'route') for (const [branch, each] of Object.entries(made as object)) nodes.set(`${name}-${branch}`, each as never);
      else nodes.set(name, made as never);
    }
  });
}

const call = (node: never, method: string, name: string, options: never, step: unknown): unknown =>
  (node as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[method]?.(name, step, options);

interface TableRow {
  readonly values: JsonObject;
  /** By step whose row it still is: which one. */
  readonly ids: ReadonlyMap<string, number>;
}

/** The rows of every step in order, by what its operator means. */
export function expectedTables(world: World, of: Plan): ReadonlyMap<string, readonly JsonObject[]> {
  const tables = new Map<string, readonly TableRow[]>();
  const table = (name: string) => tables.get(name) ?? [];
  const put = (name: string, rows: readonly { readonly values: JsonObject; readonly ids?: ReadonlyMap<string, number> }[]) =>
    tables.set(
      name,
      rows.map(({ values, ids }, index) => ({ values, ids: new Map([...(ids ?? []), [name, index]]) })),
    );
  const passing = (name: string, rows: readonly TableRow[], change: (values: JsonObject) => JsonObject | null) =>
    put(
      name,
      rows.flatMap(({ values, ids }) => {
        const changed = change(values);
        return changed ? { values: changed, ids } : [];
      }),
    );
  const picked = (values: JsonObject, columns: readonly string[]): JsonObject =>
    Object.fromEntries(columns.map((column) => [column, values[column] as Json]));

  for (const [name, step] of of.steps) {
    const [first = ''] = step.upstream;
    const rows = table(first);
    const columns = step.columns.map((column) => column.name);
    switch (step.operator) {
      case 'source':
        put(
          name,
          Array.from({ length: world.items }, (_, n) => ({ values: { n, of: sourceText(world, name) } })),
        );
        break;
      case 'map':
      case 'mapBatch':
        passing(name, rows, (values) => (rejects(world, name, values) ? null : { ...values, [name]: valueOf(name, values) }));
        break;
      case 'replace':
        passing(name, rows, (values) => (rejects(world, name, values) ? null : { ...values, [columns[0] ?? '']: valueOf(name, values) }));
        break;
      case 'flatMap':
        put(
          name,
          rows.flatMap(({ values }) =>
            rejects(world, name, values)
              ? []
              : Array.from({ length: copiesOf(name, values) }, (_, copy) => ({ values: { ...values, [name]: copy } })),
          ),
        );
        break;
      case 'filter':
        passing(name, rows, (values) => (!rejects(world, name, values) && isKept(name, values) ? values : null));
        break;
      case 'nonNull':
        passing(name, rows, (values) => (step.inputColumns.every((column) => values[column] !== null) ? values : null));
        break;
      case 'route':
        passing(name, rows, (values) => (rejects(world, name, values) ? null : values));
        break;
      case 'branch':
        passing(name, rows, (values) => (branchOf(first, values) === step.branch ? values : null));
        break;
      case 'select':
      case 'drop':
        passing(name, rows, (values) => picked(values, columns));
        break;
      case 'rename':
        passing(name, rows, (values) => {
          const origins = new Map(step.from.map(({ column, of: old }) => [column, old]));
          return Object.fromEntries(columns.map((column) => [column, values[origins.get(column) ?? column] as Json]));
        });
        break;
      case 'batch': {
        const size = step.cut.kind === 'recut' ? step.cut.rows : 0;
        const groups = Array.from({ length: Math.ceil(rows.length / size) }, (_, group) => rows.slice(group * size, (group + 1) * size));
        put(
          name,
          groups.flatMap((group) => [
            { values: { [name]: group.length } },
            { values: { [name]: hashed(...group.map(({ values }) => textOf(values))) % 1000 } },
          ]),
        );
        break;
      }
      case 'global':
        put(
          name,
          rows.flatMap(({ values }, index) => (index % 2 === 1 ? { values: { [name]: hashed(textOf(values)) % 1000 } } : [])),
        );
        break;
      case 'join': {
        const fork = step.fork ?? '';
        const branches = step.upstream.map((each) => new Map(table(each).map((row) => [row.ids.get(fork), row])));
        const matched = table(fork).flatMap((anchor, id) => {
          const found = branches.map((branch) => branch.get(id));
          if (!found.every((row) => row !== undefined)) return [];
          const values = columns.map((column): [string, Json] => {
            const origin = step.from.find((each) => each.column === column) ?? { of: column, upstream: [0], isList: false };
            const all = origin.upstream.map((branch) => found[branch]?.values[origin.of] as Json);
            return [column, origin.isList ? all : (all[0] as Json)];
          });
          return { values: Object.fromEntries(values), ids: anchor.ids };
        });
        put(name, matched);
        break;
      }
      case 'union': {
        const all = step.upstream.flatMap((each, branch) =>
          table(each).map(({ values, ids }) => ({
            values: Object.fromEntries(columns.map((column) => [column, values[column] ?? null])),
            ids,
            order: ids.get(step.fork ?? '') ?? 0,
            branch,
          })),
        );
        if (step.fork !== null) all.sort((a, b) => a.order - b.order || a.branch - b.branch);
        put(name, all);
        break;
      }
    }
  }
  return new Map(Array.from(tables, ([name, rows]) => [name, rows.map(({ values }) => values)]));
}
