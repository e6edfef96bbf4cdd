// Random pipelines of every operator as a scheduler sees them, and the output of each step for rows that consist only of their names.
import assert from 'node:assert/strict';
import type { ManifestStep, Operator, Span } from '../../../schema/index.ts';
import { hasCode } from '../../../src/kit/fault.ts';
import { chooseCut, type DraftStep } from '../../../src/pipeline/draft-step.ts';
import { findFork } from '../../../src/pipeline/fork.ts';
import { hashed, randomFrom } from '../random.ts';

export interface World {
  readonly steps: readonly ManifestStep[];
  /** Rows of each source. */
  readonly items: number;
  /** One batch in this many is given up in the first pass and ends its step; 0: none. */
  readonly deadly: number;
}

/** A row, named after what it was made from. */
export interface Row {
  readonly id: string;
  /** By fork: its place there. */
  readonly at: Readonly<Record<string, Standing>>;
}
type Standing = readonly [pass: number, batch: number, row: number];

/** A row of a batch's input, and where it came from. */
export interface InputRow extends Row {
  readonly span: Span;
  readonly place: readonly [batch: number, row: number];
}

const operators = [
  'map',
  'filter',
  'flatMap',
  'mapBatch',
  'replace',
  'nonNull',
  'select',
  'drop',
  'rename',
  'route',
  'batch',
  'global',
] as const;
const bringing = ['join', 'join', 'union'] as const;

/** A world of one or two sources and up to some twenty steps, each behind random earlier ones. What a definition would refuse is left out. */
export function randomWorld(seed: number): World {
  const random = randomFrom(seed * 7919 + 1);
  const steps = new Map<string, DraftStep>();
  const add = (name: string, operator: Operator, upstream: readonly string[], more: Pick<DraftStep, 'cut' | 'fork' | 'forkCut'>) => {
    const options = { batchSize: null, concurrency: 1 + random.below(6), timeoutMs: 1000, attempts: 3, backoffMs: 10, onError: 'reject' };
    steps.set(name, { name, operator, upstream, options, adds: [], from: [], signature: '', ...more } as unknown as DraftStep);
  };
  const alone = { fork: null, forkCut: '' };
  const sources = random.chance(0.2) ? ['source', 'other'] : ['source'];
  for (const name of sources) add(name, 'source', [], { ...alone, cut: { kind: 'source', rows: 1 + random.below(12) } });
  for (let tries = 2 + random.below(16); tries > 0; tries--) {
    const readable = Array.from(steps.keys()).filter((name) => steps.get(name)?.operator !== 'route');
    if (random.chance(0.4)) {
      const operator = random.pick(bringing);
      const upstream = [...new Set(Array.from({ length: 2 + random.below(2) }, () => random.pick(readable)))];
      const branches = upstream.map((name) => steps.get(name) as DraftStep);
      const fork = upstream.length < 2 ? undefined : forkOrRefusal(operator, branches, steps);
      if (fork === undefined || (operator === 'join' && fork === null)) continue;
      const cut = fork === null ? ({ kind: 'recut', rows: 1 + random.below(17) } as const) : ({ kind: 'aligned' } as const);
      add(`${operator}${tries}`, operator, upstream, { fork: fork?.step ?? null, forkCut: fork?.cut ?? '', cut });
      continue;
    }
    const operator = random.pick(operators);
    const upstream = random.pick(readable);
    const isCut = random.chance(0.4) || operator === 'batch' || isRestarting(steps.get(upstream)?.operator);
    const batchSize = isCut ? 1 + random.below(17) : null;
    const cut = operator === 'global' ? ({ kind: 'whole' } as const) : chooseCut(steps.get(upstream) as DraftStep, { batchSize } as never);
    add(`${operator}${tries}`, operator, [upstream], { ...alone, cut });
    if (operator === 'route')
      for (const way of ways) add(`route${tries}-${way}`, 'branch', [`route${tries}`], { ...alone, cut: { kind: 'aligned' } });
  }
  return {
    steps: [...steps.values()] as unknown as readonly ManifestStep[],
    items: random.below(150),
    deadly: random.chance(0.3) ? 20 : 0,
  };
}

const isRestarting = (operator: Operator | undefined): boolean => operator === 'flatMap' || operator === 'batch' || operator === 'global';

/** Undefined: the definition would be refused. */
function forkOrRefusal(operator: 'join' | 'union', branches: readonly DraftStep[], steps: ReadonlyMap<string, DraftStep>) {
  try {
    return findFork(operator, branches, steps, { step: operator, site: '' });
  } catch (error) {
    assert(hasCode(error, 'invalid-pipeline'));
    return undefined;
  }
}

const ways = ['left', 'right'] as const;

export const isLeaf = ({ steps }: World, name: string): boolean => !steps.some(({ upstream }) => upstream.includes(name));

/** Returns whether rows of a step can be retried: not if a step below makes rows from many. */
export function isExact({ steps }: World, from: string): boolean {
  const below = new Set([from]);
  for (const { name, upstream, operator } of steps) {
    if (!upstream.some((each) => below.has(each))) continue;
    below.add(name);
    if (operator === 'global' || operator === 'batch') return false;
  }
  return steps.find(({ name }) => name === from)?.operator !== 'source';
}

const rejecting: ReadonlySet<Operator> = new Set(['source', 'map', 'filter', 'flatMap', 'mapBatch', 'replace', 'route']);

/** Returns whether a step rejects a row that an operator has had tried this often. Of rows that can be retried, fewer are rejected each time. */
function rejects(world: World, { name, operator }: ManifestStep, id: string, tries: number): boolean {
  if (!rejecting.has(operator)) return false;
  return hashed('reject', name, id) % (isExact(world, name) ? 12 * 2 ** (tries - 1) : 12) === 0;
}

/** Returns the names of the rows that a step makes from one. */
function madeOf({ name, operator, upstream }: ManifestStep, id: string): readonly string[] {
  switch (operator) {
    case 'filter':
    case 'nonNull':
      return hashed('keep', name, id) % 3 === 0 ? [] : [id];
    case 'branch':
      return name.endsWith(ways[hashed('way', upstream[0] ?? '', id) % 2] ?? '') ? [id] : [];
    case 'flatMap':
      return Array.from({ length: hashed('copies', name, id) % 4 }, (_, copy) => `${id}.${copy}`);
    case 'map':
    case 'replace':
    case 'mapBatch':
      return [`${hashed('value', name, id) % 1000}:${id}`];
    default:
      return [id];
  }
}

const groupOf = (name: string, ids: readonly string[]): readonly string[] => [`${name}:${ids.length}`, `${name}:${hashed(...ids)}`];

export interface Worked {
  readonly rows: readonly Row[];
  readonly rejected: readonly InputRow[];
}

/** Operators whose steps may be broken for a while, and then reject their rows. */
export const breakable: ReadonlySet<Operator> = new Set(Array.from(rejecting).filter((operator) => operator !== 'source'));

export interface Working {
  readonly pass: number;
  /** How often an operator had rows tried, the first pass included. */
  readonly tries: number;
}

/** Returns the output of a worker for a batch's input. A source's input is its items. */
export function workedOn(world: World, step: ManifestStep, input: readonly InputRow[], { pass, tries }: Working): Worked {
  switch (step.operator) {
    case 'batch':
      return {
        rows: groupOf(
          step.name,
          input.map(({ id }) => id),
        ).map((id) => ({ id, at: {} })),
        rejected: [],
      };
    case 'global':
      return { rows: input.flatMap(({ id }, index) => (index % 2 === 1 ? { id: `${step.name}:${id}`, at: {} } : [])), rejected: [] };
    case 'join':
      return { rows: joined(step, input, pass), rejected: [] };
    case 'union': {
      const { fork } = step;
      const rows = fork === null ? input : input.toSorted((a, b) => byStanding(standing(a, fork), standing(b, fork)));
      return { rows: rows.map(({ id, at, span }) => ({ id: `${step.upstream.indexOf(span.step)}|${id}`, at })), rejected: [] };
    }
    default: {
      const rejected = input.filter(({ id }) => rejects(world, step, id, tries));
      const given = new Set(rejected);
      const kept = input.filter((row) => !given.has(row));
      const isFollowed = step.operator !== 'flatMap';
      return { rows: kept.flatMap(({ id, at }) => madeOf(step, id).map((made) => ({ id: made, at: isFollowed ? at : {} }))), rejected };
    }
  }
}

/** Returns rows that all branches have, of which at least one came in this pass. */
function joined({ upstream, fork }: ManifestStep, input: readonly InputRow[], pass: number): readonly Row[] {
  const branches = upstream.map(
    (name) => new Map(input.filter(({ span }) => span.step === name).map((row) => [standing(row, fork ?? '').join('/'), row])),
  );
  const anchors = new Map(
    input.filter(({ span }) => span.pass === pass).map((row) => [standing(row, fork ?? '').join('/'), standing(row, fork ?? '')]),
  );
  return [...anchors]
    .toSorted(([, a], [, b]) => byStanding(a, b))
    .flatMap(([place]) => {
      const rows = branches.flatMap((branch) => branch.get(place) ?? []);
      return rows.length < branches.length ? [] : [{ id: `(${rows.map(({ id }) => id).join('&')})`, at: rows[0]?.at ?? {} }];
    });
}

function standing({ id, at }: Row, step: string): Standing {
  const found = at[step];
  assert(found, `row ${id} stood nowhere in ${step}`);
  return found;
}

const byStanding = (a: Standing, b: Standing): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

/** Returns the items that a source reads for a batch. */
export const itemsOf = (world: World, step: ManifestStep, offset: number): readonly InputRow[] => {
  const size = step.cut.kind === 'source' ? step.cut.rows : 0;
  return Array.from({ length: Math.max(0, Math.min(size, world.items - offset)) }, (_, index) => ({
    id: `${step.name}${offset + index}`,
    at: {},
    span: { step: '', pass: 1, from: [0, 0], to: [0, 0] },
    place: [0, offset + index],
  }));
};

/** Returns the rows of each leaf after a pass without crashes, computed from whole tables, without batches or scheduler. In order after the first pass. */
export function expectedLeaves(world: World, pass: number): Record<string, readonly string[]> {
  interface Known {
    readonly id: string;
    /** By step whose row it still is, the number of that row. */
    readonly ids: ReadonlyMap<string, number>;
  }
  const tables = new Map<string, readonly Known[]>();
  for (const step of world.steps) {
    const { name, operator, upstream, cut, fork } = step;
    const of = (each: string) => tables.get(each) ?? [];
    const rows = of(upstream[0] ?? '');
    const one = (ids: readonly string[]): readonly Known[] => ids.map((id) => ({ id, ids: new Map() }));
    const made = ((): readonly Known[] => {
      switch (operator) {
        case 'source':
          return one(Array.from({ length: world.items }, (_, item) => `${name}${item}`).filter((id) => !rejects(world, step, id, pass)));
        case 'batch': {
          const size = cut.kind === 'recut' ? cut.rows : 0;
          const groups = Array.from({ length: Math.ceil(rows.length / size) }, (_, group) => rows.slice(group * size, (group + 1) * size));
          return one(
            groups.flatMap((group) =>
              groupOf(
                name,
                group.map(({ id }) => id),
              ),
            ),
          );
        }
        case 'global':
          return one(rows.flatMap(({ id }, index) => (index % 2 === 1 ? `${name}:${id}` : [])));
        case 'join': {
          const branches = upstream.map((each) => new Map(of(each).map((row) => [row.ids.get(fork ?? ''), row])));
          return of(fork ?? '').flatMap((_, index) => {
            const found = branches.flatMap((branch) => branch.get(index) ?? []);
            return found.length < branches.length
              ? []
              : [{ id: `(${found.map(({ id }) => id).join('&')})`, ids: found[0]?.ids ?? new Map() }];
          });
        }
        case 'union': {
          const all = upstream.flatMap((each, branch) =>
            of(each).map(({ id, ids }) => ({ id: `${branch}|${id}`, ids, order: ids.get(fork ?? '') ?? 0 })),
          );
          return fork === null ? all : all.toSorted((a, b) => a.order - b.order);
        }
        default:
          return rows.flatMap(({ id, ids }) =>
            rejects(world, step, id, pass)
              ? []
              : madeOf(step, id).map((made) => ({ id: made, ids: operator === 'flatMap' ? new Map() : ids })),
          );
      }
    })();
    tables.set(
      name,
      made.map(({ id, ids }, index) => ({ id, ids: new Map([...ids, [name, index]]) })),
    );
  }
  return Object.fromEntries(
    world.steps.filter(({ name }) => isLeaf(world, name)).map(({ name }) => [name, (tables.get(name) ?? []).map(({ id }) => id)]),
  );
}
