import type { Command } from 'commander';
import { thisActor } from '../../engine/index.ts';
import { Fault } from '../../kit/fault.ts';
import { pause } from '../../kit/pause.ts';
import { systemClock } from '../../kit/clock.ts';
import { cancelRun } from '../../scheduler/index.ts';
import { appendSideEvent, type Store } from '../../log/index.ts';
import { mayAsk, withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { currentState } from '../../views/index.ts';
import { chooseRun } from '../choose-run.ts';
import { addStoreCommand } from '../command-options.ts';

/** Registers `distilog pause` and `distilog cancel`. */
export function registerRequests(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'pause [run]', 'Pause a run').action((which, options) => request(context, 'pause', which, options));
  addStoreCommand(program, 'cancel [run]', 'End a run for good').action((which, options) => request(context, 'cancel', which, options));
}

type StopKind = 'pause' | 'cancel';

/** Time that a driver has to answer. After it the command ends without an answer. */
const answerTimeoutMs = 30_000;
const pollMs = 200;

/** `distilog pause` and `distilog cancel`. */
async function request(context: CommandContext, kind: StopKind, run: string | undefined, options: CommonOptions): Promise<void> {
  await withStore(options, async (store) => {
    const runId = await chooseRun(context.terminal, store, run, {
      command: kind,
      isCandidate: ({ graph: { status } }, { holder }) =>
        (status === 'running' && (kind === 'cancel' || holder !== null)) || (status === 'paused' && kind === 'cancel'),
      mayAsk: mayAsk(context.terminal, options),
    });
    const status = await requestStop(store, runId, kind);
    if (options.json) context.terminal.printJson({ runId, status });
    else if (status === 'running')
      context.terminal.print(
        `Requested. Run ${runId} still waits for its calls in flight. To see when it stops: distilog status ${runId} --follow`,
      );
    else context.terminal.print(`${runId}: ${status}`);
  });
}

/**
 * Asks a run's driver to stop, waits until it has stopped, and returns the run's status: `running` if the driver still waits for its calls. Cancels a run
 * without a driver at once. Throws `Fault('not-running')`, and `Fault('not-driven')` for an interrupted run that should pause.
 */
export async function requestStop(store: Store, runId: string, kind: StopKind): Promise<string> {
  const { status: before, holder } = await currentState(store, runId);
  if (kind === 'cancel' && holder === null && (before === 'paused' || before === 'running')) {
    await cancelRun({ store, actor: thisActor(), clock: systemClock }, runId);
    return 'cancelled';
  }
  if (before !== 'running') {
    throw new Fault('not-running', `Run ${runId} is ${before}, not running. There is nothing to ${kind}.`, {
      details: { run: runId, status: before },
    });
  }
  if (holder === null) {
    throw new Fault(
      'not-driven',
      `Run ${runId} is interrupted: no process drives it, so there is nothing to pause. To continue it, run: distilog resume ${runId}`,
      { details: { run: runId } },
    );
  }
  const actor = thisActor();
  const message = kind === 'pause' ? 'asked to pause' : 'asked to cancel';
  await appendSideEvent(
    store.log,
    runId,
    { type: kind === 'pause' ? 'PauseRequested' : 'CancelRequested', data: { actor, message } },
    `${actor.user}@${actor.host}:${actor.pid}`,
  );
  return waitForAnswer(store, runId);
}

async function waitForAnswer(store: Store, runId: string): Promise<string> {
  for (const until = Date.now() + answerTimeoutMs; Date.now() < until; await pause(pollMs)) {
    const { status } = await currentState(store, runId);
    if (status !== 'running') return status;
  }
  return 'running';
}
