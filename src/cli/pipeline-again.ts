import fs from 'node:fs';
import { changedFiles, definitionDiff, loadedDiff, type AcceptedChange, type RecordedEvent, type StepChange } from '../../schema/index.ts';
import { Fault, messageOf } from '../kit/fault.ts';
import type { Store } from '../log/index.ts';
import { program } from '../engine/index.ts';
import { incompatibility, plan, type Plan } from '../pipeline/index.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { renderChanges, renderFiles, renderLoaded } from './definition-changes.ts';
import { changedSources, knownFile, rememberFile } from './known-file.ts';
import { loadPipeline, type LoadedPipeline } from './load-pipeline.ts';
import { localSources } from './local-sources.ts';
import { parseParamOptions } from './parse-params.ts';
import { recordedPipeline, type RecordedPipeline } from '../views/index.ts';

/** What may be said of the pipeline of a run that goes on. */
export interface AgainOptions extends CommonOptions {
  /** Which command it is, for messages. */
  readonly command: 'resume' | 'retry';
  readonly param: readonly string[];
  readonly acceptChanges?: boolean | undefined;
}

/** A pipeline that is to go on, and the file that it came from. */
export interface PipelineAgain {
  readonly planned: Plan;
  readonly loaded: LoadedPipeline;
  readonly acceptedChanges: readonly AcceptedChange[];
  /** Whether the recorded definition lacks files that were loaded: a log of 0.1.0 holds those that are imported by relative paths. */
  readonly recordsDefinition: boolean;
}

/**
 * Loads the pipeline of a run that is to go on, and compares it with what was recorded: refused if it is another, unless the changes are accepted. Without
 * one that is `given` it loads the one from which this user drove the run last, and none that only the log names.
 */
export async function pipelineAgain(
  context: CommandContext,
  store: Store,
  runId: string,
  given: LoadedPipeline | undefined,
  options: AgainOptions,
): Promise<PipelineAgain> {
  const recorded = await recordedPipeline(store, runId);
  const loaded = given ?? (await loadPipeline(await ownFile(context, store, recorded, options)));
  const planned = planAgain(recorded.started, loaded, options);
  // A log without the record is compared as 0.1.0 did.
  const compared = recorded.loaded ? planned : { ...planned, definition: { ...planned.definition, sources: loaded.relativeSources } };
  const acceptedChanges = acceptChanges(context, recorded, compared, options.acceptChanges ?? false);
  noteUncompared(context, recorded);
  const recordsDefinition = !recorded.loaded && changedFiles(compared.definition, planned.definition).length > 0;
  return { planned, loaded, acceptedChanges, recordsDefinition };
}

/** Says what a comparison leaves out: packages that were never recorded, and another distilog, whose logs and steps are made to go on. */
function noteUncompared({ terminal }: CommandContext, { started: { logId }, loaded, distilog }: RecordedPipeline): void {
  const now = program().distilog;
  if (distilog !== now) terminal.note(`distilog ${distilog} drove run ${logId} last; distilog ${now} goes on with it.`);
  if (!loaded)
    terminal.note(
      `The log of run ${logId} does not say which packages its code reached, so they were not compared. They are recorded now, and compared next time.`,
    );
}

/** Returns the file from which this user drove the run, if it is as it was or its changes are accepted. A log may name any file, and loading runs it. */
async function ownFile(
  { terminal }: CommandContext,
  store: Store,
  { started, definition }: RecordedPipeline,
  { command, acceptChanges: isAccepted }: AgainOptions,
): Promise<string> {
  const known = await knownFile(store, started.logId);
  if (known === null) throw unknownFile(started, command);
  const { file } = known;
  const changed = changedSources(known);
  if (changed.length === 0 || isAccepted === true) return file;
  const again = `distilog ${command} ${started.logId}`;
  if (!fs.existsSync(file))
    throw new Fault(
      'no-such-file',
      `${file}, from which you drove run ${started.logId}, is not there any more. Name the file: ${again} FILE`,
    );
  throw new Fault(
    'definition-changed',
    `${renderFiles(definition, localSources(file), terminal)}\n` +
      `Since you last drove run ${started.logId} from ${file}, other code came into ${listed(changed)}; nothing of it was loaded. ` +
      `Undo the change, compare step by step: ${again} ${shellWord(file)}, or go on with it: ${again} --accept-changes`,
  );
}

function unknownFile({ logId, data: { file } }: RecordedEvent<'RunStarted'>, command: string): Fault {
  if (file === null)
    return new Fault('no-file', `The run was started from code, so nobody knows its file: give it, distilog ${command} ${logId} FILE`);
  return new Fault(
    'file-not-known',
    `Run ${logId} was started from ${file}, its log says. You have not driven this run on this machine, so the file was not loaded: loading it runs its code. ` +
      `If you trust it, name it: distilog ${command} ${logId} ${shellWord(file)}`,
    { details: { run: logId, file } },
  );
}

const namedMax = 5;
const listed = (names: readonly string[]): string =>
  names.length > namedMax ? `${names.slice(0, namedMax).join(', ')} and ${names.length - namedMax} more files` : names.join(', ');

/** A path for a command that is shown, where a shell takes it as one word: a log may hold any text as a path. */
const shellWord = (file: string): string => (/^[\w@%+=:,./\\][\w@%+=:,./\\-]*$/.test(file) ? file : 'FILE');

function planAgain(started: RecordedEvent<'RunStarted'>, loaded: LoadedPipeline, options: AgainOptions): Plan {
  if (loaded.pipeline.name !== started.data.manifest.pipeline) {
    throw new Fault(
      'other-pipeline',
      `${loaded.file} defines pipeline ${loaded.pipeline.name}, and run ${started.logId} is of ${started.data.manifest.pipeline}. Give the file of that one.`,
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
  return plan(loaded.pipeline, { params: { ...given, ...Object.fromEntries(recorded) }, sources: loaded.sources, loaded: loaded.loaded });
}

/** Remembers that this user drives a run with a file, so that it need not be named next time. A run goes on where that cannot be stored. */
export async function remember({ terminal }: CommandContext, store: Store, runId: string, { file, hashed }: LoadedPipeline): Promise<void> {
  try {
    await rememberFile(store, runId, file, hashed);
  } catch (error) {
    terminal.note(terminal.paint('yellow', `note: to resume this run, name its file: distilog resume ${runId} FILE. ${messageOf(error)}`));
  }
}

function acceptChanges(
  { terminal }: CommandContext,
  { started, manifest, definition, loaded }: RecordedPipeline,
  planned: Plan,
  isAccepted: boolean,
): readonly AcceptedChange[] {
  const runId = started.logId;
  const changes = definitionDiff({ manifest, definition, loaded }, planned);
  const changed = changes.filter(({ kind }) => kind !== 'unchanged');
  if (changed.length === 0) return [];
  const around = loaded && planned.loaded ? loadedDiff(loaded, planned.loaded) : [];
  const shown = [renderLoaded(around, terminal), renderChanges(changes, definition, planned.definition, terminal)].join('');
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
