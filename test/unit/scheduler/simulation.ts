// A pure simulation of a run: graph and decider, with a fake clock and a fake worker whose batches succeed, fail, lose rows and die with their driver.
import assert from 'node:assert/strict';
import { actor } from '../../fixtures/actor.ts';
import { fold, graph, isOver, isSettled, type GraphState } from '../../../projections/index.ts';
import type { ManifestStep, NewEvent, RecordedEvent, Span } from '../../../schema/index.ts';
import { formatInstant } from '../../../src/kit/instant.ts';
import type { Command, StartBatch } from '../../../src/scheduler/commands.ts';
import { decide } from '../../../src/scheduler/decide.ts';
import type { Load } from '../../../src/scheduler/room.ts';
import { hashed, randomFrom } from '../random.ts';
import { breakable, isExact, isLeaf, itemsOf, workedOn, type InputRow, type Row, type World } from './world.ts';

export interface Disturbance {
  readonly seed: number;
  /** Chance per turn that the driver is killed. */
  readonly crash: number;
  /** Chance per attempt that it fails and is retried. */
  readonly flaky: number;
  /** Chance per turn that an operator pauses the run and resumes it. */
  readonly pause: number;
  /** Chance per turn that a step breaks: it rejects many rows until the run pauses for that and is resumed. */
  readonly breaks: number;
  /** Passes after the first, which retry rejected rows. */
  readonly retries: number;
}

export const calm: Omit<Disturbance, 'seed'> = { crash: 0, flaky: 0, pause: 0, breaks: 0, retries: 2 };

export type Leaves = Readonly<Record<string, readonly string[]>>;

export interface Simulated {
  readonly state: GraphState;
  /** After each pass: the rows of every step that has no consumer, in order, and how the run ended. */
  readonly passes: readonly { readonly leaves: Leaves; readonly status: GraphState['status'] }[];
  readonly events: readonly RecordedEvent[];
  readonly crashes: number;
  /** Pauses because of a reject limit. */
  readonly breaks: number;
  /** Most batches in the graph's state during the first pass: open ones, those not yet taken, gaps between ended ones. */
  readonly largestState: number;
}

const turnsMax = 500_000;
/** Crashes after which the whole log is folded again, which takes as long as the run did. */
const refoldEvery = 10;
/** Longest time of a batch, in microseconds. Some steps take a multiple of that, so that the steps before have to wait. */
const batchMax = 50_000;
const slowEvery = 4;
const slowTimes = 20;

/** Runs a world to its end, and retries its rejected rows, however often its driver dies. */
export function simulate(world: World, disturbance: Disturbance): Simulated {
  const run = new Simulation(world, disturbance);
  run.move();
  const passes = [{ leaves: run.leaves(), status: run.state.status }];
  for (let retry = 0; retry < disturbance.retries && run.reopen(); retry++) {
    run.move();
    passes.push({ leaves: run.leaves(), status: run.state.status });
  }
  const { state, events, crashes, breaks, largestState } = run;
  return { state, passes, events, crashes, breaks, largestState };
}

interface Running {
  /** When it was started, and when it is done. */
  readonly from: number;
  readonly at: number;
  readonly start: StartBatch;
  readonly inputs: readonly Span[];
}

interface Rejection {
  readonly step: string;
  readonly batch: number;
  readonly row: InputRow;
  readonly position: number;
}

/** A broken step, and the batches in which it may still reject rows before the run pauses. */
interface Broken {
  readonly step: string;
  batchesLeft: number;
}

class Simulation {
  readonly events: RecordedEvent[] = [];
  state: GraphState = graph.initialState();
  crashes = 0;
  breaks = 0;
  largestState = 0;
  readonly #world: World;
  readonly #disturbance: Disturbance;
  readonly #random: ReturnType<typeof randomFrom>;
  readonly #steps: ReadonlyMap<string, ManifestStep>;
  readonly #forks: ReadonlySet<string>;
  readonly #outputs = new Map<string, readonly Row[]>();
  #now = 0;
  #running: Running[] = [];
  #rejected: Rejection[] = [];
  #tries = 1;
  #broken: Broken | null = null;
  #again: Readonly<Record<string, Readonly<Record<number, readonly Span[]>>>> = {};

  constructor(world: World, disturbance: Disturbance) {
    this.#world = world;
    this.#disturbance = disturbance;
    this.#random = randomFrom(disturbance.seed);
    this.#steps = new Map(world.steps.map((step) => [step.name, step]));
    this.#forks = new Set(world.steps.flatMap(({ fork }) => fork ?? []));
    const manifest = { pipeline: 'p', steps: world.steps, signature: '' };
    this.#append({ type: 'RunStarted', data: { manifest, params: {}, secrets: [], seed: 1, seeds: 'origin', file: null, program, actor } });
  }

  /** Runs until the run is at rest. */
  move(): void {
    const { crash, pause, breaks } = this.#disturbance;
    for (let turns = 0; this.state.status === 'running'; turns++) {
      assert(turns < turnsMax, 'no progress');
      // A step may end with a batch that another step's batch made empty: the limit trips before the step is over.
      if (this.#broken && isSettled(getBroken(this.state, this.#broken))) this.#trip();
      const { commands, wakeAt } = decide(this.state, this.#now, this.#load);
      for (const command of commands) {
        this.#carryOut(command);
        if (this.#random.chance(crash / 20)) break; // killed between two appends of one decision
      }
      if (this.state.status !== 'running') return;
      if (this.#random.chance(crash)) this.#crash();
      else if (this.#random.chance(pause)) this.#pause();
      else if (breaks > 0 && this.#broken === null && this.#random.chance(breaks)) this.#break();
      else if (this.#running.length > 0) this.#endNext();
      else {
        assert(wakeAt !== null || commands.length > 0, `deadlock: ${JSON.stringify(this.state.steps)}`);
        this.#now = Math.max(this.#now, wakeAt ?? this.#now);
      }
    }
  }

  /** Begins another pass over rejected rows that can be retried. Returns false if there are none. */
  reopen(): boolean {
    const canBeTried = ({ step }: Rejection) => this.state.steps[step]?.status === 'finished' && isExact(this.#world, step);
    if (!this.#tryAgain(canBeTried, this.state.epoch + 1, {})) return false;
    this.#tries++;
    return true;
  }

  /** Begins a pass over some of the rejected rows. Returns false if there are none. */
  #tryAgain(isMeant: (rejection: Rejection) => boolean, epoch: number, until: Readonly<Record<string, number>>): boolean {
    const tried = this.#rejected.filter(isMeant);
    if (tried.length === 0) return false;
    this.#rejected = this.#rejected.filter((each) => !isMeant(each));
    const rows: Record<string, Record<number, Span[]>> = {};
    for (const { step, batch, row } of tried) {
      const [ofBatch, at] = row.place;
      ((rows[step] ??= {})[batch] ??= []).push({ step: row.span.step, pass: row.span.pass, from: [ofBatch, at], to: [ofBatch, at + 1] });
    }
    this.#again = rows;
    const again = Object.fromEntries(
      Object.entries(rows).map(([step, batches]) => [
        step,
        Object.entries(batches)
          .map(([batch, spans]): [number, number] => [Number(batch), spans.length])
          .sort(([a], [b]) => a - b),
      ]),
    );
    const { pass } = this.state;
    this.#append({
      type: 'RunReopened',
      data: { pass: pass + 1, epoch, steps: [], codes: null, rejected: [], until, again, pages: [], actor, program },
    });
    return true;
  }

  leaves(): Leaves {
    const leaves = this.#world.steps.filter(({ name }) => isLeaf(this.#world, name));
    return Object.fromEntries(leaves.map(({ name }) => [name, this.#rowsOf(name).map(({ id }) => id)]));
  }

  #rowsOf(name: string): readonly Row[] {
    const step = this.state.steps[name];
    assert(step && step.end !== null);
    for (let batch = 0; batch < step.end; batch++) assert(isOver(step, batch));
    const rows: Row[] = [];
    for (let pass = 1; pass <= this.state.pass; pass++)
      for (let batch = 0; batch < step.end; batch++) rows.push(...(this.#outputs.get(`${name}/${pass}/${batch}`) ?? []));
    return rows;
  }

  /** Load of a worker whose batches have only a few slow rows left. It has not begun some of them. */
  readonly #load: Load = {
    unfinished: (step, batch) => {
      const running = this.#running.find(({ start }) => start.step === step && start.batch === batch);
      if (!running || running.from === this.#now) return undefined;
      const left = (running.at - this.#now) / Math.max(1, running.at - running.from);
      return Math.ceil(running.start.rows * left ** 4);
    },
    unfinishedOf: () => 0,
    heldBytes: (step) => (hashed('held', step, this.#now) % 10 === 0 ? Number.POSITIVE_INFINITY : 0),
  };

  #append(event: NewEvent): void {
    const recorded = { ...event, logId: 'run', position: this.events.length + 1, recordedAt: formatInstant(this.#now), chunks: [] };
    this.events.push(recorded as unknown as RecordedEvent);
    this.state = graph.evolve(this.state, recorded as unknown as RecordedEvent);
    if (this.state.pass === 1) this.largestState = Math.max(this.largestState, sizeOf(this.state));
  }

  #carryOut(command: Command): void {
    const { pass } = this.state;
    switch (command.type) {
      case 'StartStep':
        return this.#append({ type: 'StepStarted', pass, step: command.step, data: { count: null, origin: null } });
      case 'FinishStep':
        return this.#append({ type: 'StepFinished', pass, step: command.step, data: {} });
      case 'FailStep':
        return this.#append({ type: 'StepFailed', pass, step: command.step, data: { error: error(command.code) } });
      case 'PauseRun':
        this.#append({ type: 'RunPaused', data: { reason: 'poison', message: '', step: command.step, actor } });
        return this.#append({ type: 'RunResumed', data: resumed(this.state.epoch + 1) });
      case 'FinishRun':
        return this.#finish(command);
      case 'StartBatch': {
        const { step, batch, attempt, offset, rows, alone } = command;
        const { plan, blocked } = this.state.steps[step] as GraphState['steps'][string];
        assert(!(plan.cut.kind === 'whole' && blocked), `${step} runs over half of its input`);
        const inputs = [...(command.retriesRows ? (this.#again[step]?.[batch] ?? []) : []), ...command.inputs];
        this.#append({
          type: 'BatchStarted',
          pass,
          step,
          batch,
          attempt,
          data: { inputs, offset, rows, worker: 'w', alone },
        });
        const slowness = hashed('slow', step) % slowEvery === 0 ? slowTimes : 1;
        const at = this.#now + Math.floor(this.#random.next() ** 3 * batchMax) * slowness;
        this.#running.push({ from: this.#now, at, start: command, inputs });
      }
    }
  }

  /** Ends a pass. Owed rows are retried at once. */
  #finish({ outcome, reopens = [] }: Extract<Command, { readonly type: 'FinishRun' }>): void {
    const until = Object.fromEntries(reopens.map((name): [string, number] => [name, this.state.steps[name]?.owedUntil ?? 0]));
    this.#append({ type: 'RunFinished', data: { outcome } });
    this.#tryAgain(({ step, position }) => position <= (until[step] ?? 0), this.state.epoch, until);
  }

  /** Breaks a step. Rows that it rejects meanwhile can be retried only if no step below makes rows from many. */
  #break(): void {
    if (this.#world.deadly > 0) return;
    const steps = this.#world.steps.filter(({ name, operator }) => breakable.has(operator) && this.state.steps[name]?.status === 'running');
    if (steps.length === 0) return;
    const { name } = this.#random.pick(steps);
    this.#broken = { step: name, batchesLeft: isExact(this.#world, name) ? this.#random.below(4) : 0 };
    if (this.#broken.batchesLeft === 0) this.#trip();
  }

  /** Pauses the run because of a reject limit: running attempts end uncounted. An operator repairs the step and resumes the run. */
  #trip(): void {
    const step = this.#broken?.step ?? '';
    this.#broken = null;
    this.breaks++;
    for (const { start } of this.#running)
      this.#fail(start, start.step === step ? 'reject-limit' : 'interrupted', { retryInMs: 0, failsStep: false, counted: false });
    this.#running = [];
    this.#append({ type: 'RunPaused', data: { reason: 'reject-limit', message: '', step, actor } });
    this.state = JSON.parse(JSON.stringify(this.state)) as GraphState;
    this.#append({ type: 'RunResumed', data: resumed(this.state.epoch + 1) });
  }

  /** Kills the driver. Another one folds the log, takes over, and continues. */
  #crash(): void {
    this.crashes++;
    this.#running = [];
    if (this.crashes % refoldEvery === 0) assert.deepEqual(fold(graph, this.events), this.state);
    this.state = JSON.parse(JSON.stringify(this.state)) as GraphState;
    this.#append({ type: 'RunResumed', data: resumed(this.state.epoch + 1) });
    const { pass, epoch } = this.state;
    for (const [step, { open }] of Object.entries(this.state.steps))
      for (const [batch, { attempt, state }] of Object.entries(open))
        if (state === 'running')
          this.#append({ type: 'BatchAbandoned', pass, step, batch: Number(batch), attempt, data: { epoch: epoch - 1 } });
  }

  /** Pauses the run, ends running attempts, and resumes it. */
  #pause(): void {
    for (const { start } of this.#running) this.#fail(start, 'interrupted', { retryInMs: 0, failsStep: false, counted: false });
    this.#running = [];
    this.#append({ type: 'RunPaused', data: { reason: 'asked', message: '', step: null, actor } });
    this.#append({ type: 'RunResumed', data: resumed(this.state.epoch + 1) });
  }

  /** Ends the attempt that is done first. */
  #endNext(): void {
    this.#running.sort((a, b) => a.at - b.at);
    const { at, start, inputs } = this.#running.shift() as Running;
    this.#now = Math.max(this.#now, at);
    const { step: name, batch, offset } = start;
    const { pass } = this.state;
    const { deadly } = this.#world;
    if (this.#random.chance(this.#disturbance.flaky))
      return this.#fail(start, 'flaky', { retryInMs: this.#random.below(300), failsStep: false, counted: true });
    if (pass === 1 && deadly > 0 && hashed('deadly', name, batch) % deadly === 0)
      return this.#fail(start, 'deadly', { retryInMs: null, failsStep: true, counted: true });

    const step = this.#steps.get(name) as ManifestStep;
    const isSource = step.cut.kind === 'source';
    const input = isSource ? itemsOf(this.#world, step, offset) : inputs.flatMap((span) => this.#read(span));
    const isBroken = this.#broken?.step === name;
    const isLost = ({ id }: InputRow) => isBroken && hashed('broken', name, id, this.breaks) % 2 === 0;
    const working = { pass, tries: this.#tries };
    const worked = workedOn(
      this.#world,
      step,
      input.filter((row) => !isLost(row)),
      working,
    );
    const rows = worked.rows;
    const given = new Set(worked.rejected);
    const rejected = input.filter((row) => given.has(row) || isLost(row));
    const isMoot = batch >= (this.state.steps[name]?.end ?? Number.POSITIVE_INFINITY);
    assert(!this.#outputs.has(`${name}/${pass}/${batch}`), `a second success of ${name}/${pass}/${batch}`);
    this.#outputs.set(
      `${name}/${pass}/${batch}`,
      this.#forks.has(name) ? rows.map(({ id, at: stood }, row) => ({ id, at: { ...stood, [name]: [pass, batch, row] } })) : rows,
    );
    const source = isSource ? { mark: null, offset, read: input.length, last: offset + input.length >= this.#world.items } : null;
    const data = { ...succeeded, inputs, rowsIn: input.length, rows: rows.length, rejected: { ...none, count: rejected.length }, source };
    this.#append({ type: 'BatchSucceeded', pass, step: name, batch, attempt: start.attempt, data });
    const position = this.events.length;
    if (!isMoot) this.#rejected.push(...rejected.map((row) => ({ step: name, batch, row, position })));
    if (isBroken && this.#broken && --this.#broken.batchesLeft <= 0) this.#trip();
  }

  #fail({ step, batch, attempt }: StartBatch, code: string, how: { retryInMs: number | null; failsStep: boolean; counted: boolean }): void {
    const data = {
      done: [],
      rows: 0,
      rejected: none,
      pending: 0,
      elapsedMs: 0,
      usage: [],
      calls: 0,
      checkpoints: 0,
      error: error(code),
      ...how,
    };
    this.#append({ type: 'BatchFailed', pass: this.state.pass, step, batch, attempt, data });
  }

  #read(span: Span): readonly InputRow[] {
    const { step, pass, from, to } = span;
    const rows: InputRow[] = [];
    for (let batch = from[0]; batch <= (to[1] === 0 ? to[0] - 1 : to[0]); batch++) {
      const output = this.#outputs.get(`${step}/${pass}/${batch}`) ?? [];
      const first = batch === from[0] ? from[1] : 0;
      const last = batch === to[0] ? to[1] : output.length;
      for (let row = first; row < last; row++) {
        const found = output[row];
        assert(found, `${step} has no row ${pass}/${batch}/${row}`);
        rows.push({ ...found, span, place: [batch, row] });
      }
    }
    return rows;
  }
}

function getBroken({ steps }: GraphState, { step }: Broken): GraphState['steps'][string] {
  const found = steps[step];
  assert(found);
  return found;
}

/**
 * What a graph's state holds of batches: all of it that could grow with the run. But for what a union of branches without a fork has yet to take of its
 * later branches: it waits until the first is whole.
 */
function sizeOf({ steps }: GraphState): number {
  let size = 0;
  for (const { plan, open, inboxes, over } of Object.values(steps)) {
    size += Object.keys(open).length + over.length;
    for (const [index, inbox] of inboxes.entries()) if (index === 0 || plan.cut.kind !== 'recut') size += inbox.length;
  }
  return size;
}

const program = { distilog: '', node: '' };
const none = { count: 0, codes: {}, rows: [], inChunk: false };
const succeeded = { chunkRows: [], bytes: 0, elapsedMs: 0, usage: [], calls: 0, undeclared: [], missing: [] };
const error = (code: string) => ({ code, name: 'Error', message: code, stack: '' });
const resumed = (epoch: number) => ({
  reason: 'resumed' as const,
  epoch,
  actor,
  from: null,
  positionSeen: 0,
  acceptedChanges: [],
  concurrency: {},
  program,
});
