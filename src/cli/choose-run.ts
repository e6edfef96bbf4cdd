import { createInterface } from 'node:readline/promises';
import { canRetry } from '../engine/index.ts';
import type { RunStates } from '../../projections/index.ts';
import { Fault } from '../kit/fault.ts';
import type { RunEntry, Store } from '../log/index.ts';
import { currentState, findRun, readStates } from '../views/index.ts';
import { formatLocalTime } from './local-time.ts';
import type { Terminal } from './terminal.ts';

/** Predicate that says whether a command can act on a run, given the run's states at its head. */
export type RunPredicate = (states: RunStates, entry: RunEntry, store: Store) => boolean | Promise<boolean>;

/** The runs that a command can act on if the user names none. */
export interface RunChoice {
  readonly command: 'resume' | 'retry' | 'pause' | 'cancel';
  /** Considers only runs of this pipeline. */
  readonly pipeline?: string | undefined;
  readonly isCandidate: RunPredicate;
  /** Whether the command may ask the user: there is a terminal, and the output is for a person. */
  readonly mayAsk: boolean;
  /** Asks a question at the terminal. Default: prints it to standard error and reads the answer from standard input. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
}

/** Returns a predicate for runs that were paused or lost their driver; with `takeOver` also for runs that another process drives. */
export const isResumable =
  (takeOver: boolean): RunPredicate =>
  async ({ graph: { status } }, { runId }, store) =>
    status === 'paused' || (status === 'running' && (takeOver || (await currentState(store, runId)).interrupted));

/** Returns whether a run is over and has rejected rows that can be retried. */
export const isRetryable: RunPredicate = ({ graph, progress }) => {
  if (graph.status !== 'succeeded' && graph.status !== 'partial' && graph.status !== 'failed') return false;
  return graph.order.some((step) => (progress.steps[step]?.rows.rejected ?? 0) > 0 && canRetry(graph, step));
};

/** Candidates that are listed. The search stops after one more. */
const listedMax = 10;

/**
 * Returns the run that the user named, else the only run that the command can act on. If there are several, asks the user at a terminal; without a terminal
 * it throws `Fault('several-runs')`, which lists them. If there is none, returns the newest run, whose state explains why. Throws `Fault('unknown-run')`.
 */
export async function chooseRun(terminal: Terminal, store: Store, asked: string | undefined, choice: RunChoice): Promise<string> {
  if (asked !== undefined) return findRun(store, asked);
  const candidates = await findCandidates(store, choice);
  const [only] = candidates;
  if (only && candidates.length === 1) return only.runId;
  if (only) return chooseCandidate(terminal, candidates, choice);
  return findNewest(store, choice.pipeline);
}

interface Candidate {
  readonly runId: string;
  readonly line: string;
}

/** Folds only runs that the store does not exclude by their newest events, because many runs may be over. */
async function findCandidates(store: Store, { command, pipeline, isCandidate }: RunChoice): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  const standing = command === 'retry' ? 'lossy' : 'open';
  for await (const page of store.log.runs({ pipeline, standing })) {
    for (const entry of page) {
      // Only a driver can pause a run.
      if (command === 'pause' && entry.holder === null) continue;
      const states = await readStates(store, entry.runId, entry.head.position);
      if (!(await isCandidate(states, entry, store))) continue;
      const recorded = states.graph.status;
      const status = recorded === 'running' && entry.holder === null ? 'interrupted' : recorded;
      candidates.push({
        runId: entry.runId,
        line: `${entry.runId}  pipeline ${entry.pipeline}, ${status}, started ${formatLocalTime(entry.startedAt)}`,
      });
      if (candidates.length > listedMax) return candidates;
    }
  }
  return candidates;
}

async function findNewest(store: Store, pipeline: string | undefined): Promise<string> {
  if (pipeline === undefined) return findRun(store, undefined);
  for await (const [newest] of store.log.runs({ pipeline, pageMax: 1 })) if (newest) return newest.runId;
  throw new Fault('unknown-run', `There is no run of pipeline ${pipeline} in this store. Start one: distilog run FILE`);
}

async function chooseCandidate(terminal: Terminal, candidates: readonly Candidate[], choice: RunChoice): Promise<string> {
  const { command, mayAsk, ask = askAtTerminal } = choice;
  const shown = candidates.slice(0, listedMax);
  const more = candidates.length > listedMax ? ['  …'] : [];
  const several = `There are several runs to ${command}`;
  if (!mayAsk) {
    const lines = [...shown.map(({ line }) => `  ${line}`), ...more];
    throw new Fault('several-runs', `${several}. Name one of them: distilog ${command} RUN\n${lines.join('\n')}`);
  }
  terminal.note(`${several}:`);
  for (const line of [...shown.map((each, index) => `  ${index + 1}  ${each.line}`), ...more]) terminal.note(line);
  const answer = (await ask(`Which one (1 to ${shown.length})? `)).trim();
  const chosen = /^\d+$/.test(answer) ? shown[Number(answer) - 1] : shown.find(({ runId }) => runId === answer);
  if (!chosen) throw new Fault('several-runs', `No run was chosen. Name one: distilog ${command} RUN`);
  return chosen.runId;
}

async function askAtTerminal(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new AbortController();
  lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  lines.once('close', () => closed.abort());
  try {
    return await lines.question(question, { signal: closed.signal });
  } catch {
    // The input ended without an answer.
    return '';
  } finally {
    lines.close();
  }
}
