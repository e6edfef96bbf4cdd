import { projections } from '../../projections/index.ts';
import type { Loaded, Manifest, NewEvent } from '../../schema/index.ts';
import { Fault, hasCode, messageOf } from '../kit/fault.ts';
import { newId } from '../kit/ids.ts';
import type { Json } from '../kit/json.ts';
import { encodeEvent, foldAll, runLogId, type Appended, type Chunk } from '../log/index.ts';
import { openSession, retryThroughOutages } from './acquire-run.ts';
import type { DriveContext } from './drive-context.ts';
import { driveAcquiredRun, type DrivenRun } from './drive-run.ts';
import { writerOf } from './writer-name.ts';

/** The run to start. */
export interface StartOptions {
  readonly runId: string;
  readonly manifest: Manifest;
  /** The definition, as a chunk. */
  readonly definition: Chunk;
  readonly params: Readonly<Record<string, Json>>;
  readonly secrets: readonly string[];
  readonly seed: number;
  readonly file: string | null;
  /** The code that was loaded with the pipeline, if that is known. */
  readonly loaded?: Loaded | null | undefined;
}

/** Starts a run. When this resolves, its first event is durable and its driver lock held. Throws `Fault('already-recorded')` for an id that is taken. */
export async function startRun(context: DriveContext, options: StartOptions): Promise<DrivenRun> {
  const { store } = context;
  const { runId } = options;
  await store.chunks.put([options.definition]);
  // The lock comes first, because a run that exists without a driver would look interrupted.
  const session = await retryThroughOutages(() => openSession(context, { runId, seize: false })).catch((error: unknown) => {
    throw hasCode(error, 'run-is-driven')
      ? new Fault('already-recorded', `Run ${runId} could not be started, because a run of that name exists. ${messageOf(error)}`, {
          cause: error,
        })
      : error;
  });
  try {
    const { last, hash } = await createLog(context, runId, startedEvent(context, options));
    const states = await foldAll<readonly unknown[]>(store, projections, runLogId(runId), last);
    return driveAcquiredRun(context, { runId, session, states, epoch: 1, head: { position: last, hash } });
  } catch (error) {
    await session.close();
    throw error;
  }
}

const startedEvent = ({ actor, program }: DriveContext, options: StartOptions): NewEvent<'RunStarted'> => ({
  type: 'RunStarted',
  chunks: [options.definition.sha256],
  data: {
    manifest: options.manifest,
    params: options.params as NewEvent<'RunStarted'>['data']['params'],
    secrets: options.secrets,
    seed: options.seed,
    seeds: 'origin',
    truncated: 'reject',
    file: options.file,
    program,
    actor,
    ...(options.loaded ? { loaded: options.loaded } : {}),
  },
});

async function createLog({ store, actor }: DriveContext, runId: string, started: NewEvent<'RunStarted'>): Promise<Appended> {
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
