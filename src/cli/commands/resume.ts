import { resumePipeline } from '#engine';
import { graph } from '#projections';
import type { AcceptedChange, RecordedEvent } from '#schema';
import { Fault } from '#kit/fault';
import { foldAt, runLogId, type Store } from '#log';
import { definitionDiff, incompatibility, plan, type Plan, type StepChange } from '#pipeline';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { renderChanges } from '../definition-changes.ts';
import { findRun } from '../find-run.ts';
import { loadPipeline } from '../load-pipeline.ts';
import { parseConcurrency, parseParamOptions } from '../parse-params.ts';
import { recordedPipeline, type RecordedPipeline } from '../recorded-pipeline.ts';
import { drive } from './drive.ts';

export interface ResumeCommandOptions extends CommonOptions {
  readonly param: readonly string[];
  readonly concurrency: readonly string[];
  readonly acceptChanges?: boolean | undefined;
  readonly takeOver?: boolean | undefined;
  readonly skip: readonly string[];
  readonly rejectLimit: boolean;
}

/** `distilog resume`: goes on with a run after a crash or a pause. */
export async function resume(
  context: CommandContext,
  run: string | undefined,
  file: string | undefined,
  options: ResumeCommandOptions,
): Promise<void> {
  const skip = options.skip.map(skipOf);
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    await refuseIfOver(store, runId);
    const recorded = await recordedPipeline(store, runId);
    const planned = await planAgain(recorded.started, file, options);
    const acceptedChanges = acceptChanges(context, recorded, planned, options.acceptChanges ?? false);
    const concurrency = parseConcurrency(options.concurrency);
    await announce(context, store, runId, options);
    await drive(context, store, options, (told) =>
      resumePipeline(store, planned, {
        ...told,
        runId,
        seize: options.takeOver ?? false,
        acceptedChanges,
        concurrency,
        skip,
        isRejectLimitLifted: !options.rejectLimit,
      }),
    );
  });
}

function skipOf(text: string): { readonly step: string; readonly batch: number } {
  const [, step = '', batch = ''] = /^(.+)\/(\d+)$/.exec(text) ?? [];
  if (step === '') throw new Fault('invalid-skip', `--skip ${text}: write --skip STEP/BATCH, such as answer/17.`);
  return { step, batch: Number(batch) };
}

async function refuseIfOver(store: Store, runId: string): Promise<void> {
  const head = await store.log.head(runLogId(runId));
  const { status } = await foldAt(store, graph, runLogId(runId), head?.position ?? 0);
  if (status !== 'running' && status !== 'paused') {
    throw new Fault(
      'run-is-over',
      `Run ${runId} is over: ${status}. There is nothing to resume; distilog distiset ${runId} has what it made.`,
      { details: { run: runId, status } },
    );
  }
}

async function planAgain(started: RecordedEvent<'RunStarted'>, file: string | undefined, options: ResumeCommandOptions): Promise<Plan> {
  const from = file ?? started.data.file;
  if (from === null)
    throw new Fault('no-file', `The run was started from code, so nobody knows its file: give it, distilog resume ${started.logId} FILE`);
  const loaded = await loadPipeline(from);
  if (loaded.pipeline.name !== started.data.manifest.pipeline) {
    throw new Fault(
      'other-pipeline',
      `${from} defines pipeline ${loaded.pipeline.name}, and run ${started.logId} is of ${started.data.manifest.pipeline}. Give the file of that one.`,
    );
  }
  const names = Object.keys(loaded.pipeline.params.shape);
  const given = parseParamOptions(loaded.pipeline.params, options.param, process.env);
  const recorded = Object.entries(started.data.params).filter(([name]) => names.includes(name));
  const changed = Object.keys(given).find(
    (name) => name in started.data.params && options.param.some((option) => option.startsWith(`${name}=`)),
  );
  if (changed !== undefined) {
    throw new Fault(
      'params-are-fixed',
      `Param ${changed} was recorded when run ${started.logId} started, and cannot change: start a new run for another value.`,
    );
  }
  return plan(loaded.pipeline, { params: { ...given, ...Object.fromEntries(recorded) }, sources: loaded.sources });
}

function acceptChanges(
  { terminal }: CommandContext,
  { started, manifest, definition }: RecordedPipeline,
  planned: Plan,
  isAccepted: boolean,
): readonly AcceptedChange[] {
  const runId = started.logId;
  const changes = definitionDiff({ manifest, definition }, planned);
  const changed = changes.filter(({ kind }) => kind !== 'unchanged');
  if (changed.length === 0) return [];
  const shown = renderChanges(changes, definition, planned.definition, terminal);
  const impossible = incompatibility(changes);
  if (impossible !== null) {
    throw new Fault(
      'definition-changed',
      `${shown}\nRun ${runId} cannot go on with this pipeline: ${impossible}, and rows are stored as it was. Undo the change, or start a new run.`,
    );
  }
  if (!isAccepted) {
    throw new Fault(
      'definition-changed',
      `${shown}\nThe pipeline is not the one that run ${runId} began with. Undo the change, or go on with it: distilog resume ${runId} --accept-changes`,
    );
  }
  terminal.note(shown);
  return changed
    .filter((change): change is StepChange & { kind: 'changed' | 'follows' } => change.kind === 'changed' || change.kind === 'follows')
    .map(({ step, kind, parts, signature }) => ({ step, kind, parts, signature }));
}

/** What a resume finds: which batches get another attempt, and what is in the log of them. */
async function announce({ terminal }: CommandContext, store: Store, runId: string, options: CommonOptions): Promise<void> {
  if (options.json) return;
  const head = await store.log.head(runLogId(runId));
  const state = await foldAt(store, graph, runLogId(runId), head?.position ?? 0);
  for (const name of state.order) {
    for (const [batch, { state: its, rows }] of Object.entries(state.steps[name]?.open ?? {})) {
      const events = await store.log.readBatch(runLogId(runId), { pass: state.pass, step: name, batch: Number(batch) });
      const kept = events.reduce(
        (sum, event) => sum + (event.type === 'BatchProgressed' || event.type === 'BatchFailed' ? doneIn(event.data.done) : 0),
        0,
      );
      const what = its === 'running' ? 'was under way when its driver was lost, and gets another attempt' : 'waits for another attempt';
      terminal.note(
        terminal.paint('dim', `batch ${batch} of ${name} ${what}: ${kept} rows found in the log, ${Math.max(0, rows - kept)} to be done`),
      );
    }
  }
}

const doneIn = (ranges: readonly (readonly [number, number])[]): number => ranges.reduce((sum, [from, to]) => sum + to - from, 0);
