import fs from 'node:fs';
import { changedFiles, definitionDiff, loadedDiff, type AcceptedChange, type RecordedEvent, type StepChange } from '../../schema/index.ts';
import { Fault, messageOf } from '../kit/fault.ts';
import type { Store } from '../log/index.ts';
import { program } from '../engine/index.ts';
import { incompatibility, plan, type Plan } from '../pipeline/index.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { renderChanges, renderFiles, renderLoaded } from './definition-changes.ts';
import { findChangedSources, readKnownFile, rememberFile } from './known-file.ts';
import { loadPipeline, type LoadedPipeline } from './load-pipeline.ts';
import { readLocalSources } from './local-sources.ts';
import { parseParamOptions } from './parse-params.ts';
import { recordedPipeline, type RecordedPipeline } from '../views/index.ts';

/** Options of commands that continue a run. */
export interface ContinueOptions extends CommonOptions {
  /** The command's name, for messages. */
  readonly command: 'resume' | 'retry';
  readonly param: readonly string[];
  readonly acceptChanges?: boolean | undefined;
}

/** The pipeline of a run that is continued, and the file that it came from. */
export interface ContinuedPipeline {
  readonly planned: Plan;
  readonly loaded: LoadedPipeline;
  readonly acceptedChanges: readonly AcceptedChange[];
  /** Whether the recorded definition lacks files that were loaded. A log of 0.1.0 holds only files that are imported by relative paths. */
  readonly recordsDefinition: boolean;
}

/**
 * Loads the pipeline of a run that is to be continued, and compares it with the recorded one. Throws a `Fault` if it has changed, unless the changes are
 * accepted. Without a `given` pipeline it loads the file from which this user last drove the run, and never a file that only the log names.
 */
export async function loadContinuedPipeline(
  context: CommandContext,
  store: Store,
  runId: string,
  given: LoadedPipeline | undefined,
  options: ContinueOptions,
): Promise<ContinuedPipeline> {
  const recorded = await recordedPipeline(store, runId);
  const loaded = given ?? (await loadPipeline(await findOwnFile(context, store, recorded, options)));
  const planned = planContinued(recorded.started, loaded, options);
  // A log of 0.1.0 records no loaded code, so the comparison is the one of 0.1.0.
  const compared = recorded.loaded ? planned : { ...planned, definition: { ...planned.definition, sources: loaded.relativeSources } };
  const acceptedChanges = acceptChanges(context, recorded, compared, options.acceptChanges ?? false);
  noteUncompared(context, recorded);
  const recordsDefinition = !recorded.loaded && changedFiles(compared.definition, planned.definition).length > 0;
  return { planned, loaded, acceptedChanges, recordsDefinition };
}

/** Notes what the comparison leaves out: packages that were never recorded, and the version of distilog, which can continue older runs. */
function noteUncompared({ terminal }: CommandContext, { started: { logId }, loaded, distilog }: RecordedPipeline): void {
  const now = program().distilog;
  if (distilog !== now) terminal.note(`Run ${logId} was last driven by distilog ${distilog}. It continues with distilog ${now}.`);
  if (!loaded)
    terminal.note(
      `The log of run ${logId} does not record which packages its code uses, so they were not compared. They are recorded now and compared next time.`,
    );
}

/** Returns the file from which this user drove the run, if it is unchanged or its changes are accepted. A log may name any file, and loading a file runs it. */
async function findOwnFile(
  { terminal }: CommandContext,
  store: Store,
  { started, definition }: RecordedPipeline,
  { command, acceptChanges: isAccepted }: ContinueOptions,
): Promise<string> {
  const known = await readKnownFile(store, started.logId);
  if (known === null) throw fileNotKnown(started, command);
  const { file } = known;
  const changed = findChangedSources(known);
  if (changed.length === 0 || isAccepted === true) return file;
  const again = `distilog ${command} ${started.logId}`;
  if (!fs.existsSync(file))
    throw new Fault('no-such-file', `${file}, from which you drove run ${started.logId}, no longer exists. Name the file: ${again} FILE`);
  throw new Fault(
    'definition-changed',
    `${renderFiles(definition, readLocalSources(file), terminal)}\n` +
      `The code in ${listNames(changed)} has changed since you last drove run ${started.logId} from ${file}. The changed code was not loaded. ` +
      `Undo the change, or compare it step by step: ${again} ${toShellWord(file)}, or accept it: ${again} --accept-changes`,
  );
}

function fileNotKnown({ logId, data: { file } }: RecordedEvent<'RunStarted'>, command: string): Fault {
  if (file === null)
    return new Fault(
      'no-file',
      `Run ${logId} was started from code, so its log names no file. Name the file: distilog ${command} ${logId} FILE`,
    );
  return new Fault(
    'file-not-known',
    `The log of run ${logId} names the file ${file}. It was not loaded, because loading it runs its code and you have not driven this run on this machine. ` +
      `If you trust the file, name it: distilog ${command} ${logId} ${toShellWord(file)}`,
    { details: { run: logId, file } },
  );
}

const namedMax = 5;
const listNames = (names: readonly string[]): string =>
  names.length > namedMax ? `${names.slice(0, namedMax).join(', ')} and ${names.length - namedMax} more files` : names.join(', ');

/** Returns a path for a command in a message, or FILE if a shell would not read the path as one word. A log may hold any text as a path. */
const toShellWord = (file: string): string => (/^[\w@%+=:,./\\][\w@%+=:,./\\-]*$/.test(file) ? file : 'FILE');

function planContinued(started: RecordedEvent<'RunStarted'>, loaded: LoadedPipeline, options: ContinueOptions): Plan {
  if (loaded.pipeline.name !== started.data.manifest.pipeline) {
    throw new Fault(
      'other-pipeline',
      `${loaded.file} defines pipeline ${loaded.pipeline.name}, but run ${started.logId} belongs to pipeline ${started.data.manifest.pipeline}. Give the file of that pipeline.`,
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
      `Param ${changed} was recorded when run ${started.logId} started and cannot change. For another value, start a new run.`,
    );
  }
  return plan(loaded.pipeline, { params: { ...given, ...Object.fromEntries(recorded) }, sources: loaded.sources, loaded: loaded.loaded });
}

/** Records that this user drives a run with a file, so that the file need not be named next time. The run continues even if that cannot be stored. */
export async function rememberPipelineFile(
  { terminal }: CommandContext,
  store: Store,
  runId: string,
  { file, hashed }: LoadedPipeline,
): Promise<void> {
  try {
    await rememberFile(store, runId, file, hashed);
  } catch (error) {
    terminal.note(
      terminal.paint(
        'yellow',
        `note: The file of this run could not be remembered, so name it to resume: distilog resume ${runId} FILE. ${messageOf(error)}`,
      ),
    );
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
      `${shown}\nRun ${runId} cannot continue with this pipeline: ${impossible}, but rows are stored in the old form. Undo the change, or start a new run.`,
    );
  }
  if (!isAccepted) {
    throw new Fault(
      'definition-changed',
      `${shown}\nThe pipeline has changed since run ${runId} started. Undo the change, or add --accept-changes to continue with it.`,
    );
  }
  terminal.note(shown);
  return changed
    .filter((change): change is StepChange & { kind: 'changed' | 'follows' } => change.kind === 'changed' || change.kind === 'follows')
    .map(({ step, kind, parts, signature }) => ({ step, kind, parts, signature }));
}
