import { graph, projections, type GraphState } from '../../projections/index.ts';
import type { AcceptedChange, Actor, Loaded, Manifest, NewEvent, RecordedEvent } from '../../schema/index.ts';
import { ageInWords } from '../kit/age.ts';
import type { Clock } from '../kit/clock.ts';
import { Fault, hasCode, messageOf } from '../kit/fault.ts';
import { newId } from '../kit/ids.ts';
import { parseInstant } from '../kit/instant.ts';
import { canonicalJson, type Json } from '../kit/json.ts';
import {
  appendSideEvent,
  encodeEvent,
  foldAt,
  foldOn,
  follow,
  openAppender,
  runLogId,
  sideLogId,
  snapshotting,
  type Appended,
  type Appender,
  type Chunk,
  type DriverSession,
  type Head,
  type Store,
} from '../log/index.ts';
import { Driver, type Rest, type StopWish } from './driver.ts';
import type { Freed, Journal, WishPause, Worker } from './worker-port.ts';
import { pause } from '../kit/pause.ts';

/** What both a start and a resume need of the process that drives. */
export interface DriveContext {
  readonly store: Store;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly program: { readonly distilog: string; readonly node: string };
  /** Makes what runs batches. It is told of every event, in order, through `recorded`. */
  readonly makeWorker: (given: {
    readonly runId: string;
    readonly seed: number;
    readonly journal: Journal;
    readonly wishPause: WishPause;
    readonly freed: Freed;
    /** Calls in flight by step, as recorded. */
    readonly concurrency: Readonly<Record<string, number>>;
  }) => Worker;
  /** What rows consist of that steps are owed when a pass ends (`StepState.owedUntil`); null: there are none. */
  readonly owed: (runId: string, graph: GraphState, steps: readonly string[]) => Promise<Reopening | null>;
  /** Told of every recorded event, in order. */
  readonly onRecorded?: ((events: readonly RecordedEvent[]) => void) | undefined;
  /** Told when the store has not answered for a second, with its last error, and with null when it answers again. */
  readonly onAway?: ((error: Error | null) => void) | undefined;
}

/** A run that this process drives. */
export interface DrivenRun {
  readonly runId: string;
  /** Moves it until it is at rest. Throws `Fault('fenced')` when another process took it over. */
  drive(): Promise<{ readonly rest: Rest; readonly position: number }>;
  /** Lets calls in flight end and brings it to rest. */
  stop(wish: StopWish): void;
  /** Ends calls in flight without waiting for them. */
  abort(): void;
  state(): GraphState;
}

export interface StartOptions {
  readonly runId: string;
  readonly manifest: Manifest;
  /** The definition, as a chunk. */
  readonly definition: Chunk;
  readonly params: Readonly<Record<string, Json>>;
  readonly secrets: readonly string[];
  readonly seed: number;
  readonly file: string | null;
  /** What was loaded with the pipeline, where that is known. */
  readonly loaded?: Loaded | null | undefined;
}

/** Starts a run: its first event is durable, and its driver lock held, when this returns. */
export async function startRun(context: DriveContext, options: StartOptions): Promise<DrivenRun> {
  const { store, actor, program } = context;
  const { runId, manifest, params, secrets, seed, file, loaded } = options;
  await store.chunks.put([options.definition]);
  const started: NewEvent<'RunStarted'> = {
    type: 'RunStarted',
    chunks: [options.definition.sha256],
    data: {
      manifest,
      params: params as NewEvent<'RunStarted'>['data']['params'],
      secrets,
      seed,
      seeds: 'origin',
      file,
      program,
      actor,
      ...(loaded ? { loaded } : {}),
    },
  };
  // The lock comes first: a run that is there and that nobody drives would look interrupted.
  const session = await throughOutages(() => openSession(context, runId, false)).catch((error: unknown) => {
    throw hasCode(error, 'run-is-driven')
      ? new Fault('already-recorded', `Run ${runId} could not be started: there is one of that name. ${messageOf(error)}`, { cause: error })
      : error;
  });
  try {
    const { last, hash } = await create(context, options, started);
    const state = await foldAt(store, graph, runLogId(runId), last);
    return driven(context, { runId, session, state, epoch: 1, head: { position: last, hash } });
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function create({ store, actor }: DriveContext, { runId }: StartOptions, started: NewEvent<'RunStarted'>): Promise<Appended> {
  const created = await store.log.create({
    logId: runLogId(runId),
    epoch: 1,
    appendId: newId(),
    expectedHash: null,
    writer: writerOf(actor),
    events: [encodeEvent(started)],
  });
  if (!created.ok) throw new Fault(created.code, `Run ${runId} could not be started: ${created.message}`);
  return created;
}

export interface ResumeOptions {
  readonly runId: string;
  /** Ends the connection of whoever drives the run now. */
  readonly seize: boolean;
  readonly acceptedChanges: readonly AcceptedChange[];
  /** The changed definition, where changes were accepted. */
  readonly definition: Chunk | null;
  /** What was loaded with the pipeline this time: recorded, where it is not as it was. */
  readonly loaded?: Loaded | null | undefined;
  readonly concurrency: Readonly<Record<string, number>>;
  /** Batches to give up. */
  readonly skip: readonly { readonly step: string; readonly batch: number }[];
}

/**
 * Takes a run over from a driver that died or paused it: fold, raise the epoch, abandon what was running, go on. Refused, as a `Fault`: `run-is-driven`
 * (somebody is at it), `run-is-over`, `unknown-event` (written by a newer version), `not-open` (a batch to skip that is not open).
 */
export function resumeRun(context: DriveContext, options: ResumeOptions): Promise<DrivenRun> {
  const { store } = context;
  const { runId, definition } = options;
  return takenOver(context, options, async (before, head) => {
    await refuse(store, runId, before, head);
    return {
      events: takeover(context, options, before, head, await lastDrive(store, runId, head)),
      chunks: definition ? [definition] : [],
    };
  });
}

/** A new pass over rows that were rejected. */
export interface Reopening {
  readonly steps: readonly string[];
  readonly codes: readonly string[] | null;
  readonly rejected: NewEvent<'RunReopened'>['data']['rejected'];
  readonly again: NewEvent<'RunReopened'>['data']['again'];
  /** By step, the position up to which its rejected rows are meant; steps that are not named: all of them. */
  readonly until: NewEvent<'RunReopened'>['data']['until'];
  /** Which input rows they are, as a chunk that holds a `TriedAgain`. */
  readonly rows: Chunk;
}

export type ReopenOptions = Pick<ResumeOptions, 'runId' | 'acceptedChanges' | 'definition' | 'loaded' | 'concurrency'>;

/**
 * Begins a new pass of a run that is over. `look` says what it consists of, given the run as of its head; asked again if somebody else appended meanwhile.
 */
export function reopenRun(
  context: DriveContext,
  options: ReopenOptions,
  look: (before: GraphState, head: Head) => Promise<Reopening>,
): Promise<DrivenRun> {
  const { store, actor, program } = context;
  const { runId, definition, acceptedChanges, loaded, concurrency } = options;
  return takenOver(context, { runId, seize: false }, async (before, head) => {
    await refuseUnknown(store, runId, head);
    const { rows, ...which } = await look(before, head);
    const last = await lastDrive(store, runId, head);
    const reopened: NewEvent<'RunReopened'> = {
      type: 'RunReopened',
      chunks: [rows.sha256],
      data: { ...which, pass: before.pass + 1, epoch: head.epoch + 1, actor, program, ...newlyLoaded(loaded, last) },
    };
    const isAsBefore = definition === null && acceptedChanges.length === 0 && Object.keys(concurrency).length === 0;
    const resumed = isAsBefore ? [] : takeover(context, { ...options, loaded: null, seize: false, skip: [] }, before, head, last);
    return { events: [reopened, ...resumed], chunks: definition ? [rows, definition] : [rows] };
  });
}

interface Takeover {
  readonly events: readonly NewEvent[];
  readonly chunks: readonly Chunk[];
}

type Taker = Pick<DriveContext, 'store' | 'actor' | 'clock'>;
type Look = (before: GraphState, head: Head) => Promise<Takeover>;

/** Takes a run's lock, appends what `look` finds fit under a new epoch, and drives the run from there. */
async function takenOver(context: DriveContext, which: Pick<ResumeOptions, 'runId' | 'seize'>, look: Look): Promise<DrivenRun> {
  return driven(context, await taken(context, which, look));
}

/** Cancels a run that nobody drives, because it is paused or its driver is lost. Refused, as a `Fault`: `run-is-driven`, `run-is-over`. */
export async function cancelRun(taker: Taker, runId: string): Promise<void> {
  const { store, actor } = taker;
  const { session } = await taken(taker, { runId, seize: false }, async (before, head) => {
    await refuse(store, runId, before, head);
    return { events: [{ type: 'RunCancelled', data: { reason: 'asked', message: 'asked to cancel', actor } }], chunks: [] };
  });
  await session.close();
}

/**
 * Takes a run's lock and appends what `look` finds fit under a new epoch. Where the connection breaks under way, it looks again: what was stored then is
 * seen, and followed by another takeover.
 */
const taken = (taker: Taker, which: Pick<ResumeOptions, 'runId' | 'seize'>, look: Look): Promise<Position> =>
  throughOutages(() => takenOnce(taker, which, look));

/** How often a run's lock is asked for while the server goes down and comes back, and the pauses between, which grow: a quarter of a minute in all. */
const lockTriesMax = 20;
const lockPauseMs = 150;
const lockPauseMaxMs = 1_000;

/** Does what takes a run's lock; again, where the server is away. */
async function throughOutages<T>(takeLock: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await takeLock();
    } catch (error) {
      // After a break the lock may be held for a moment by the connection that was ours.
      const passes =
        hasCode(error, 'connection-lost') || hasCode(error, 'store-unreachable') || (tries > 1 && hasCode(error, 'run-is-driven'));
      if (!passes || tries >= lockTriesMax) throw error;
      await pause(Math.min(lockPauseMaxMs, lockPauseMs * tries));
    }
  }
}

async function takenOnce(taker: Taker, { runId, seize }: Pick<ResumeOptions, 'runId' | 'seize'>, look: Look): Promise<Position> {
  const { store, actor } = taker;
  const session = await openSession(taker, runId, seize);
  try {
    for (;;) {
      const head = await headOf(store, runId);
      const before = await foldAt(store, graph, runLogId(runId), head.position);
      const { events, chunks } = await look(before, head);
      if (chunks.length > 0) await store.chunks.put(chunks);
      const result = await session.takeOver({
        logId: runLogId(runId),
        epoch: head.epoch,
        appendId: newId(),
        expectedHash: head.hash,
        writer: writerOf(actor),
        events: events.map(encodeEvent),
      });
      // Whoever drove the run before may have appended once more; its lock is ours, so it does not go on.
      if (!result.ok && (result.code === 'history-diverged' || result.code === 'fenced')) continue;
      if (!result.ok) throw new Fault(result.code, `Run ${runId} could not be taken over: ${result.message}`);
      const added = { logId: runLogId(runId), from: result.first, to: result.last };
      const [state] = await foldOn<[GraphState]>(store.log, [graph], [before], added);
      return { runId, session, state, epoch: result.epoch, head: { position: result.last, hash: result.hash } };
    }
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function openSession({ store, clock }: Taker, runId: string, seize: boolean): Promise<DriverSession> {
  const opened = await store.log.openDriver(runId, { seize });
  if (opened.ok) return opened.session;
  const { user, host, pid, since } = opened.holder;
  const age = ageInWords((clock() - parseInstant(since)) / 1_000);
  throw new Fault(
    'run-is-driven',
    `Run ${runId} is driven by ${user}@${host}, process ${pid}, since ${since} (${age} ago). Stop that process, or take the run over with --take-over.`,
    {
      details: { run: runId, user, host, pid, since },
    },
  );
}

async function headOf(store: Store, runId: string): Promise<Head> {
  const head = await store.log.head(runLogId(runId));
  if (!head) throw new Fault('unknown-run', `There is no run ${runId} in this store.`, { details: { run: runId } });
  return head;
}

async function refuse(store: Store, runId: string, { status }: GraphState, head: Head): Promise<void> {
  if (status !== 'running' && status !== 'paused') {
    throw new Fault('run-is-over', `Run ${runId} is over: ${status}. There is nothing to resume.`, { details: { run: runId, status } });
  }
  await refuseUnknown(store, runId, head);
}

async function refuseUnknown(store: Store, runId: string, head: Head): Promise<void> {
  const unknown = await store.log.unknownEvent(runLogId(runId), head.position);
  if (unknown) {
    throw new Fault(
      'unknown-event',
      `Run ${runId} cannot be resumed by this version of distilog: position ${unknown.position}: ${unknown.reason}. Update distilog.`,
    );
  }
}

/** How a run was driven last: by whom, and with what loaded, as far as that was recorded. */
interface LastDrive {
  readonly actor: Actor | null;
  readonly loaded: Loaded | null;
}

async function lastDrive(store: Store, runId: string, head: Head): Promise<LastDrive> {
  let last: LastDrive = { actor: null, loaded: null };
  for await (const page of store.log.read(runLogId(runId), { to: head.position, types: ['RunStarted', 'RunResumed', 'RunReopened'] })) {
    for (const event of page)
      if (event.type === 'RunStarted' || event.type === 'RunResumed' || event.type === 'RunReopened')
        last = { actor: event.data.actor, loaded: event.data.loaded ?? last.loaded };
  }
  return last;
}

/** What is to be recorded of what was loaded: nothing, where the log has it already. */
const newlyLoaded = (loaded: Loaded | null | undefined, last: LastDrive): { readonly loaded?: Loaded } =>
  !loaded || (last.loaded && canonicalJson(loaded) === canonicalJson(last.loaded)) ? {} : { loaded };

function takeover(context: DriveContext, options: ResumeOptions, before: GraphState, head: Head, last: LastDrive): readonly NewEvent[] {
  const resumed: NewEvent<'RunResumed'> = {
    type: 'RunResumed',
    chunks: options.definition ? [options.definition.sha256] : [],
    data: {
      reason: options.seize ? 'taken-over' : 'resumed',
      epoch: head.epoch + 1,
      actor: context.actor,
      from: last.actor,
      positionSeen: head.position,
      acceptedChanges: options.acceptedChanges,
      concurrency: options.concurrency,
      program: context.program,
      ...newlyLoaded(options.loaded, last),
    },
  };
  const abandoned: NewEvent[] = before.order.flatMap((step) =>
    Object.entries(before.steps[step]?.open ?? {})
      .filter(([, { state }]) => state === 'running')
      .map(([batch, { attempt }]) => ({
        type: 'BatchAbandoned' as const,
        pass: before.pass,
        step,
        batch: Number(batch),
        attempt,
        data: { epoch: head.epoch },
      })),
  );
  return [resumed, ...abandoned, ...options.skip.map((which) => skipped(before, which))];
}

function skipped(before: GraphState, { step, batch }: { readonly step: string; readonly batch: number }): NewEvent<'BatchFailed'> {
  const open = before.steps[step]?.open[String(batch)];
  if (!open) {
    const batches = Object.keys(before.steps[step]?.open ?? {});
    const hint = batches.length > 0 ? `Open batches of ${step}: ${batches.join(', ')}.` : `Step ${step} has no open batch.`;
    throw new Fault('not-open', `Batch ${batch} of step ${step} is not open, so it cannot be given up. ${hint}`);
  }
  return {
    type: 'BatchFailed',
    pass: before.pass,
    step,
    batch,
    // The attempt that will not be made: the one before has its end already.
    attempt: open.attempt + 1,
    data: {
      error: { code: 'skipped', name: 'Skipped', message: 'given up by whoever resumed the run', stack: '' },
      done: [],
      rows: 0,
      rejected: { count: 0, codes: {}, rows: [], inChunk: false },
      pending: open.rows,
      retryInMs: null,
      failsStep: false,
      counted: false,
      elapsedMs: 0,
      usage: [],
      calls: 0,
      checkpoints: 0,
    },
  };
}

interface Position {
  readonly runId: string;
  readonly session: DriverSession;
  readonly state: GraphState;
  readonly epoch: number;
  readonly head: { readonly position: number; readonly hash: string };
}

function driven(context: DriveContext, { runId, session, state, epoch, head }: Position): DrivenRun {
  const { store, actor, clock } = context;
  const logId = runLogId(runId);
  const snapshots = snapshotting(store, { folds: projections, logId, append: (events) => appender.append(events) });
  const ended = new AbortController();
  const appender: Appender = openAppender({
    log: store.log,
    runId,
    session,
    epoch,
    position: head.position,
    expectedHash: head.hash,
    writer: writerOf(actor),
    signal: ended.signal,
    onAway: context.onAway,
    onRecorded: (events) => {
      driver.evolve(events);
      worker.recorded(events);
      snapshots.recorded(events);
      context.onRecorded?.(events);
    },
  });
  // Nothing follows the event that brings a run to rest.
  const append: Appender['append'] = (events) => {
    if (events.some(isRest)) snapshots.finish();
    return appender.append(events);
  };
  const journal: Journal = async (event) => {
    await appender.append([event]);
  };
  const concurrency = Object.fromEntries(Object.entries(state.steps).map(([name, { plan }]) => [name, plan.concurrency]));
  const wishPause: WishPause = (step, wish) => driver.stop({ kind: 'pause', ...wish, step, actor });
  const worker = context.makeWorker({ runId, seed: state.seed, journal, wishPause, freed: (step) => driver.freed(step), concurrency });
  const reopen = async (ended: GraphState, steps: readonly string[]): Promise<NewEvent<'RunReopened'> | null> => {
    const owed = await context.owed(runId, ended, steps);
    if (!owed) return null;
    const { rows, ...which } = owed;
    await store.chunks.put([rows]);
    const data = { ...which, pass: ended.pass + 1, epoch, actor, program: context.program };
    return { type: 'RunReopened', chunks: [rows.sha256], data };
  };
  const driver = new Driver({
    state,
    appender: { append },
    worker,
    actor,
    clock,
    reopen,
    onLate: (event) => late(store, runId, actor, epoch, event),
  });

  return {
    runId,
    stop: (wish) => driver.stop(wish),
    abort: () => driver.abort(),
    state: () => driver.state,
    drive: async () => {
      const requests = heed(store, runId, driver, ended.signal);
      try {
        const rest = await driver.run();
        return { rest, position: appender.position };
      } catch (error) {
        throw hasCode(error, 'fenced') ? await takenAway(store, runId, error) : error;
      } finally {
        ended.abort();
        await requests;
        await worker.close();
        await appender.close();
        await snapshots.close();
        await session.close();
      }
    },
  };
}

const isRest = ({ type }: NewEvent): boolean => type === 'RunFinished' || type === 'RunPaused' || type === 'RunCancelled';

/** What a driver says that lost its run. Its own late results are in the side log already. */
async function takenAway({ log }: Store, runId: string, cause: unknown): Promise<Fault> {
  const by = await log.lastWriter(runLogId(runId)).catch(() => null);
  return new Fault(
    'fenced',
    `Run ${runId} was taken over by ${by ?? 'another process'}: this process has stopped, and what it had under way is done there again. ` +
      `distilog status ${runId} --follow watches it.`,
    { cause, details: { run: runId } },
  );
}

/** Answers requests to pause or cancel that others write into the side log from now on. A store that is away for a while is asked again. */
async function heed(store: Store, runId: string, driver: Driver, signal: AbortSignal): Promise<void> {
  let from: number | null = null;
  while (!signal.aborted) {
    try {
      from ??= ((await store.log.head(sideLogId(runId)))?.position ?? 0) + 1;
      for await (const page of follow(store.log, sideLogId(runId), { from, signal })) {
        for (const event of page) {
          from = event.position + 1;
          if (event.type !== 'PauseRequested' && event.type !== 'CancelRequested') continue;
          const { actor, message } = event.data;
          driver.stop({ kind: event.type === 'PauseRequested' ? 'pause' : 'cancel', reason: 'asked', message, step: null, actor });
        }
      }
    } catch {
      await pause(heedAgainMs, signal);
    }
  }
}

const heedAgainMs = 1000;

/** What a driver that had lost its run received too late is told beside it: it was paid for. */
async function late(
  store: Store,
  runId: string,
  actor: Actor,
  epoch: number,
  event: NewEvent<'BatchSucceeded'> | NewEvent<'BatchFailed'>,
): Promise<void> {
  const { step, pass, batch, attempt, data } = event;
  if (data.usage.length === 0) return;
  await appendSideEvent(
    store.log,
    runId,
    { type: 'LateResult', step, pass, batch, attempt, data: { actor, epoch, rows: data.rows, usage: data.usage } },
    writerOf(actor),
  );
}

const writerOf = ({ user, host, pid }: Actor): string => `${user}@${host}:${pid}`;
