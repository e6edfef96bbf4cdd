// A pure simulation of a run: graph and decider with a made-up world of batches that succeed, fail, lose rows and die with their driver.
import assert from 'node:assert/strict';
import { fold, graph, isOver, type GraphState } from '#projections';
import type { ManifestStep, NewEvent, RecordedEvent, Span } from '#schema';
import { formatInstant } from '#kit/instant';
import { decide, type StartBatch } from '../../../src/scheduler/decide.ts';
import { hashed, randomFrom } from '../random.ts';

export interface World {
  readonly steps: readonly ManifestStep[];
  readonly items: number;
  /** One batch in so many is given up and ends its step; 0: none. */
  readonly deadly: number;
}

export interface Disturbance {
  readonly seed: number;
  /** Chance per turn that the driver is killed. */
  readonly crash: number;
  /** Chance per attempt that it fails and is retried. */
  readonly flaky: number;
}

export interface Simulated {
  readonly state: GraphState;
  /** Row ids of every step that has no consumer, in order. */
  readonly leaves: Readonly<Record<string, readonly string[]>>;
  readonly events: readonly RecordedEvent[];
  readonly crashes: number;
  readonly largestState: number;
}

const turnsMax = 20_000;

/** A random pipeline of one source and up to nine steps, each on a random earlier one. */
export function randomWorld(seed: number): World {
  const random = randomFrom(seed * 7919 + 1);
  const step = (
    name: string,
    operator: 'source' | 'map' | 'filter' | 'select',
    upstream: string[],
    cut: ManifestStep['cut'],
  ): ManifestStep => ({
    name,
    operator,
    upstream,
    cut,
    options: { batchSize: null, concurrency: 1 + random.below(6), timeoutMs: 1000, attempts: 3, backoffMs: 10, onError: 'reject' },
    adds: [],
    from: [],
    fork: null,
    signature: '',
  });
  const steps = [step('source', 'source', [], { kind: 'source', rows: 1 + random.below(13) })];
  for (let index = random.below(9); index >= 0; index--) {
    const cut = random.chance(0.5) ? ({ kind: 'aligned' } as const) : ({ kind: 'recut', rows: 1 + random.below(17) } as const);
    steps.push(step(`step${index}`, random.pick(['map', 'filter', 'select']), [random.pick(steps).name], cut));
  }
  return { steps, items: random.below(150), deadly: random.chance(0.3) ? 20 : 0 };
}

/** What each leaf holds if no batch is deadly: whole tables, no batches, no scheduler. */
export function expectedLeaves(world: World): Record<string, readonly string[]> {
  const tables = new Map<string, readonly string[]>();
  for (const { name, upstream } of world.steps) {
    const rows =
      upstream.length === 0 ? Array.from({ length: world.items }, (_, item) => `${item}`) : (tables.get(upstream[0] as string) ?? []);
    tables.set(
      name,
      rows.filter((id) => outcome(world, name, id) === 'kept'),
    );
  }
  return Object.fromEntries(world.steps.filter(({ name }) => isLeaf(world, name)).map(({ name }) => [name, tables.get(name) ?? []]));
}

/** Runs a world to its end, however often its driver dies on the way. */
export function simulate(world: World, { seed, crash, flaky }: Disturbance): Simulated {
  const random = randomFrom(seed);
  const events: RecordedEvent[] = [];
  const outputs = new Map<string, readonly string[]>();
  let now = 0;
  let state = graph.initialState();
  let running: { readonly at: number; readonly start: StartBatch }[] = [];
  let crashes = 0;
  let largestState = 0;

  const append = (event: NewEvent) => {
    const recorded = {
      ...event,
      logId: 'run',
      position: events.length + 1,
      recordedAt: formatInstant(now),
      chunks: [],
    } as unknown as RecordedEvent;
    events.push(recorded);
    state = graph.evolve(state, recorded);
  };
  const read = ({ step, from, to }: Span): readonly string[] => {
    const rows: string[] = [];
    for (let batch = from[0]; batch <= to[0]; batch++) {
      const output = outputs.get(`${step}/${batch}`) ?? [];
      rows.push(...output.slice(batch === from[0] ? from[1] : 0, batch === to[0] ? to[1] : undefined));
    }
    return rows;
  };
  const actor = { user: 'u', host: 'h', pid: 1 };
  append({
    type: 'RunStarted',
    data: {
      manifest: { pipeline: 'p', steps: world.steps, signature: '' },
      params: {},
      secrets: [],
      seed: 1,
      file: null,
      program: { distilog: '', node: '' },
      actor,
    },
  });

  for (let turns = 0; state.status === 'running'; turns++) {
    assert(turns < turnsMax, 'no progress');
    const { commands, wakeAt } = decide(state, now);
    for (const command of commands) {
      switch (command.type) {
        case 'StartStep':
          append({ type: 'StepStarted', pass: 1, step: command.step, data: { count: null, origin: null } });
          break;
        case 'FinishStep':
          append({ type: 'StepFinished', pass: 1, step: command.step, data: {} });
          break;
        case 'FailStep':
          append({
            type: 'StepFailed',
            pass: 1,
            step: command.step,
            data: { error: { code: command.code, name: '', message: command.message, stack: '' } },
          });
          break;
        case 'PauseRun':
          append({ type: 'RunPaused', data: { reason: 'poison', message: '', step: command.step, actor } });
          append({ type: 'RunResumed', data: resumed(state.epoch + 1) });
          break;
        case 'FinishRun':
          append({ type: 'RunFinished', data: { outcome: command.outcome } });
          break;
        case 'StartBatch': {
          const { step, batch, attempt, inputs, offset, rows, alone } = command;
          append({
            type: 'BatchStarted',
            pass: 1,
            step,
            batch,
            attempt,
            data: { inputs, offset, rows, worker: 'w', alone, signature: '' },
          });
          running.push({ at: now + Math.floor(random.next() ** 3 * 50_000), start: command });
          break;
        }
      }
      if (random.chance(crash / 20)) break; // killed between two appends of one decision
    }
    if (state.status !== 'running') break;
    if (random.chance(crash)) {
      crashes++;
      running = [];
      const refolded = fold(graph, events);
      assert.deepEqual(refolded, state);
      state = JSON.parse(JSON.stringify(refolded)) as GraphState;
      append({ type: 'RunResumed', data: resumed(state.epoch + 1) });
      for (const [step, { open }] of Object.entries(state.steps)) {
        for (const [batch, { attempt, state: its }] of Object.entries(open)) {
          if (its === 'running')
            append({ type: 'BatchAbandoned', pass: 1, step, batch: Number(batch), attempt, data: { epoch: state.epoch - 1 } });
        }
      }
      continue;
    }
    if (running.length === 0) {
      assert(wakeAt !== null || commands.length > 0, `deadlock: ${JSON.stringify(state.steps)}`);
      now = Math.max(now, wakeAt ?? now);
      continue;
    }
    running.sort((a, b) => a.at - b.at);
    const { at, start } = running.shift() as (typeof running)[number];
    now = Math.max(now, at);
    const { step, batch, attempt, inputs } = start;
    const ends = { pass: 1, step, batch, attempt } as const;
    const failure = { done: [], rows: 0, rejected: none, pending: 0, elapsedMs: 0, usage: [], calls: 0, checkpoints: 0 };
    if (random.chance(flaky)) {
      append({
        type: 'BatchFailed',
        ...ends,
        data: { ...failure, error: error('flaky'), retryInMs: random.below(300), failsStep: false, counted: false },
      });
      continue;
    }
    const of = world.steps.find(({ name }) => name === step) as ManifestStep;
    const input =
      of.cut.kind === 'source'
        ? Array.from({ length: Math.min(of.cut.rows, world.items - start.offset) }, (_, index) => `${start.offset + index}`)
        : inputs.flatMap(read);
    if (world.deadly > 0 && hashed('deadly', step, batch) % world.deadly === 0) {
      append({
        type: 'BatchFailed',
        ...ends,
        data: { ...failure, error: error('deadly'), retryInMs: null, failsStep: true, counted: true },
      });
      continue;
    }
    const rows = input.filter((id) => outcome(world, step, id) === 'kept');
    const rejected = input.filter((id) => outcome(world, step, id) === 'rejected').length;
    assert(!outputs.has(`${step}/${batch}`), 'a second success');
    outputs.set(`${step}/${batch}`, rows);
    const source = of.cut.kind === 'source' ? { mark: null, read: input.length, last: start.offset + input.length >= world.items } : null;
    append({
      type: 'BatchSucceeded',
      ...ends,
      data: {
        inputs,
        rowsIn: input.length,
        rows: rows.length,
        chunkRows: [],
        bytes: 0,
        rejected: { ...none, count: rejected },
        elapsedMs: 0,
        usage: [],
        calls: 0,
        source,
        undeclared: [],
        missing: [],
      },
    });
    if (events.length % 25 === 0) largestState = Math.max(largestState, JSON.stringify(state).length);
  }

  const leaves: Record<string, readonly string[]> = {};
  for (const { name } of world.steps.filter((step) => isLeaf(world, step.name))) {
    const { end } = state.steps[name] as GraphState['steps'][string];
    assert(end !== null);
    leaves[name] = Array.from({ length: end }, (_, batch) => outputs.get(`${name}/${batch}`) ?? []).flat();
    for (let batch = 0; batch < end; batch++) assert(isOver(state.steps[name] as GraphState['steps'][string], batch));
  }
  return { state, leaves, events, crashes, largestState };
}

const none = { count: 0, codes: {}, rows: [], inChunk: false };
const error = (code: string) => ({ code, name: 'Error', message: code, stack: '' });
const resumed = (epoch: number) => ({
  reason: 'resumed' as const,
  epoch,
  actor: { user: 'u', host: 'h', pid: 2 },
  from: null,
  positionSeen: 0,
  acceptedChanges: [],
  concurrency: {},
  program: { distilog: '', node: '' },
});
const isLeaf = (world: World, name: string) => !world.steps.some(({ upstream }) => upstream.includes(name));

function outcome(world: World, step: string, id: string): 'kept' | 'dropped' | 'rejected' {
  if (hashed('reject', step, id) % 13 === 0) return 'rejected';
  const operator = world.steps.find(({ name }) => name === step)?.operator;
  return operator === 'filter' && hashed('keep', step, id) % 3 === 0 ? 'dropped' : 'kept';
}
