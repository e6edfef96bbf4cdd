import { changedFiles, definitionDiff, type RecordedEvent, type StepChange } from '../../schema/index.ts';
import { readBeginning } from '../distiset/index.ts';
import { Fault } from '../kit/fault.ts';
import { canonicalJson } from '../kit/json.ts';
import type { RunEntry, Store } from '../log/index.ts';
import { historyEntries, type HistoryEntry } from './history-entries.ts';
import { recordedPipeline, type RecordedPipeline } from './recorded-pipeline.ts';

/** Differences between a run's pipeline and that of the run before. */
export interface PipelineChanges {
  /** The run before, or null for the first. */
  readonly since: string | null;
  /** Steps that differ. */
  readonly steps: readonly Omit<StepChange, 'signature'>[];
  readonly files: readonly string[];
  /** Params whose values differ, or that only one of the runs has. */
  readonly params: readonly string[];
}

/** The audit trail of one run. */
export interface RunHistory {
  readonly runId: string;
  readonly status: string;
  readonly changes: PipelineChanges;
  readonly entries: readonly HistoryEntry[];
}

/**
 * Returns the audit trails of runs of one pipeline, oldest first. `entries` are newest first. Each trail lists the changes since the run before.
 * Throws `Fault('unknown-pipeline')` if `entries` is empty and the store has no run of that pipeline.
 */
export async function runHistories(store: Store, pipeline: string, entries: readonly RunEntry[]): Promise<readonly RunHistory[]> {
  const oldest = entries.at(-1);
  if (!oldest) await requireRuns(store, pipeline);
  const histories: RunHistory[] = [];
  let before = oldest ? await runBefore(store, oldest) : null;
  for (const entry of entries.toReversed()) {
    const recorded = await recordedPipeline(store, entry.runId);
    const acts = await historyEntries(store, entry.runId);
    const changes = await changesSince(store, before, recorded.started);
    histories.push({ runId: entry.runId, status: statusOf(acts, entry), changes, entries: acts });
    before = recorded;
  }
  return histories;
}

/** Returns the recorded pipeline of the previous run of the same pipeline, or null. */
async function runBefore(store: Store, { pipeline, ...run }: RunEntry): Promise<RecordedPipeline | null> {
  for await (const [older] of store.log.runs({ pipeline, before: run, pageMax: 1 })) if (older) return recordedPipeline(store, older.runId);
  return null;
}

/** Throws `Fault('unknown-pipeline')` if the store has no run of a pipeline. */
async function requireRuns(store: Store, pipeline: string): Promise<void> {
  if ((await store.log.countRuns({ pipeline })) > 0) return;
  const others = new Set<string>();
  for await (const page of store.log.runs()) for (const entry of page) others.add(entry.pipeline);
  const known = others.size > 0 ? `Pipelines with runs: ${[...others].sort().join(', ')}.` : 'There is no run in this store yet.';
  throw new Fault('unknown-pipeline', `This store has no run of a pipeline named ${pipeline}. ${known}`, { details: { pipeline } });
}

/** Derives a run's status from its entries. Without a final event, the run is running or interrupted. */
function statusOf(entries: readonly HistoryEntry[], { holder }: RunEntry): string {
  const last = entries.findLast(({ log }) => log === 'run');
  if (last?.type === 'RunFinished') return last.what;
  if (last?.type === 'RunCancelled') return 'cancelled';
  if (last?.type === 'RunPaused') return 'paused';
  return holder === null ? 'interrupted' : 'running';
}

/** Compares a run's first definition with the last one of the run before. */
async function changesSince(store: Store, before: RecordedPipeline | null, started: RecordedEvent<'RunStarted'>): Promise<PipelineChanges> {
  if (!before) return { since: null, steps: [], files: [], params: [] };
  const [, definition] = await readBeginning(store, started.logId);
  const steps = definitionDiff(before, { manifest: started.data.manifest, definition })
    .filter(({ kind }) => kind !== 'unchanged')
    .map(({ step, kind, parts }) => ({ step, kind, parts }));
  const [old, now] = [before.started.data.params, started.data.params];
  const text = (params: typeof old, name: string) => (Object.hasOwn(params, name) ? canonicalJson(params[name]) : '');
  const params = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((name) => text(old, name) !== text(now, name)).sort();
  return { since: before.started.logId, steps, files: changedFiles(before.definition, definition), params };
}
