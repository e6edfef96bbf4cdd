import type { AcceptedChange, RecordedEvent } from '#schema';
import { Fault } from '#kit/fault';
import type { Store } from '#log';
import { definitionDiff, incompatibility, plan, type Plan, type StepChange } from '#pipeline';
import type { CommandContext, CommonOptions } from './context.ts';
import { renderChanges } from './definition-changes.ts';
import { loadPipeline } from './load-pipeline.ts';
import { parseParamOptions } from './parse-params.ts';
import { recordedPipeline, type RecordedPipeline } from './recorded-pipeline.ts';

/** What may be said of the pipeline of a run that goes on. */
export interface AgainOptions extends CommonOptions {
  readonly param: readonly string[];
  readonly acceptChanges?: boolean | undefined;
}

/** The pipeline of a run that is to go on, loaded again and compared with what was recorded: refused if it is another, unless the changes are accepted. */
export async function pipelineAgain(
  context: CommandContext,
  store: Store,
  runId: string,
  file: string | undefined,
  options: AgainOptions,
): Promise<{ readonly planned: Plan; readonly acceptedChanges: readonly AcceptedChange[] }> {
  const recorded = await recordedPipeline(store, runId);
  const planned = await planAgain(recorded.started, file, options);
  return { planned, acceptedChanges: acceptChanges(context, recorded, planned, options.acceptChanges ?? false) };
}

async function planAgain(started: RecordedEvent<'RunStarted'>, file: string | undefined, options: AgainOptions): Promise<Plan> {
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
      `${shown}\nThe pipeline is not the one that run ${runId} began with. Undo the change, or go on with it: --accept-changes`,
    );
  }
  terminal.note(shown);
  return changed
    .filter((change): change is StepChange & { kind: 'changed' | 'follows' } => change.kind === 'changed' || change.kind === 'follows')
    .map(({ step, kind, parts, signature }) => ({ step, kind, parts, signature }));
}
