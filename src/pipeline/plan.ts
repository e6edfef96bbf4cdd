import {
  definitionDiff,
  eventBytesMax,
  namePattern,
  nameLengthMax,
  type Definition,
  type Loaded,
  type Manifest,
} from '../../schema/index.ts';
import { isAssertionError } from '../kit/assert.ts';
import { Fault, isFault, messageOf } from '../kit/fault.ts';
import { canonicalJson, type JsonObject } from '../kit/json.ts';
import { sha256 } from '../kit/sha256.ts';
import { Draft } from './draft.ts';
import type { DraftStep } from './draft-step.ts';
import type { Builder, Pipeline } from './node.ts';
import { parseParams } from './params.ts';
import { isPipeline } from './pipeline.ts';
import { refuse, findThrowSite } from './refuse.ts';
import { refuseSecrets, refuseShortSecrets, withoutSecrets } from './refuse-secrets.ts';
import type { RunnableStep } from './runnable.ts';

export interface PlanOptions {
  /** Raw values. The pipeline's params schema parses them. */
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /** Maximum number of calls in flight, by step. */
  readonly concurrency?: Readonly<Record<string, number>> | undefined;
  /** The pipeline's own files, for the signature. */
  readonly sources?: Definition['sources'] | undefined;
  /** The modules and packages that were loaded with those files, if known. */
  readonly loaded?: Loaded | null | undefined;
}

/** A pipeline that is ready to run: as data to record and as functions to call. */
export interface Plan {
  readonly manifest: Manifest;
  readonly definition: Definition;
  /** The modules and packages that were loaded with the pipeline's files, or null if unknown. Recorded with a run and compared on resume. */
  readonly loaded: Loaded | null;
  readonly params: JsonObject;
  readonly secrets: readonly { readonly name: string; readonly value: string }[];
  /**
   * The steps in topological order.
   * @internal
   */
  readonly steps: ReadonlyMap<string, RunnableStep>;
  /** The steps of the nodes that the definition returned, by the names that it used. */
  readonly returned: ReadonlyMap<string, string>;
}

/**
 * Plans a pipeline: runs its definition twice, compares the results, and returns them as data and functions. Throws `Fault('invalid-pipeline')` and
 * `Fault('invalid-params')`, whose messages say what is wrong, where, and what to write instead.
 */
export function plan(pipeline: Pipeline, { params = {}, concurrency = {}, sources = [], loaded = null }: PlanOptions = {}): Plan {
  if (!isPipeline(pipeline)) refuse(`The value is not a pipeline. Create one with pipeline('name', ({ source }) => { … }).`);
  const { name } = pipeline;
  if (typeof name !== 'string' || !namePattern.test(name) || name.length > nameLengthMax) {
    refuse(`${JSON.stringify(name)} cannot be a pipeline's name: use letters, digits, _ and -, at most ${nameLengthMax}.`);
  }
  if (typeof pipeline.define !== 'function')
    refuse(`Pipeline ${name} has no definition. Write pipeline('${name}', ({ source }) => { … }).`);
  if (typeof (pipeline.params as Partial<Pipeline['params']> | undefined)?.shape !== 'object')
    refuse(`The params of pipeline ${name} must be a z.object({ … }).`);
  const invalidParam = Object.entries(pipeline.params.shape).find(
    ([, member]) => (member as { readonly _zod?: unknown } | null)?._zod === undefined,
  );
  if (invalidParam)
    refuse(`Param ${invalidParam[0]} of pipeline ${name} is not a zod schema. Write, for example, { ${invalidParam[0]}: z.string() }.`);
  const parsed = parseParams(pipeline.params, params);
  refuseShortSecrets(parsed.secrets);
  const { draft, returned } = withoutSecrets(parsed.secrets, () => runDefinition(pipeline, parsed.all));
  const { draft: secondDraft } = withoutSecrets(parsed.secrets, () => runDefinition(pipeline, parsed.all));
  const data = describe(name, draft.steps, concurrency, sources);
  const secondData = describe(name, secondDraft.steps, concurrency, sources);
  if (canonicalJson(data) !== canonicalJson(secondData)) {
    const differing = definitionDiff(data, secondData).find(({ kind }) => kind !== 'unchanged' && kind !== 'follows');
    const what = differing ? ` (step ${differing.step}${differing.kind === 'changed' ? `: ${differing.parts.join(', ')}` : ''})` : '';
    refuse(
      `Pipeline ${name} was different when its definition ran a second time${what}. A definition may depend only on its params, not on time, chance or outside state.`,
    );
  }
  refuseSecrets(parsed.secrets, data.definition);
  refuseTooLarge(name, data.manifest, parsed.recorded);
  const signatures = new Map(data.manifest.steps.map((step) => [step.name, step]));
  const steps = new Map(
    draft.steps.map((step) => {
      const { options = step.options, signature = '' } = signatures.get(step.name) ?? {};
      return [step.name, { ...step, options, signature }];
    }),
  );
  return { ...data, loaded, params: parsed.recorded, secrets: parsed.secrets, steps, returned };
}

/** Bytes reserved in a run's first event for everything except steps and params. Each loaded package takes one to two hundred bytes. */
const firstEventBytesSpare = 256 * 1024;

/** Refuses steps and params that do not fit into a run's first event, which records them. */
function refuseTooLarge(name: string, manifest: Manifest, params: JsonObject): void {
  const bytesOf = (value: unknown) => new TextEncoder().encode(canonicalJson(value)).byteLength;
  const [ofSteps, ofParams] = [bytesOf(manifest), bytesOf(params)];
  if (ofSteps + ofParams + firstEventBytesSpare <= eventBytesMax) return;
  const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KiB`;
  refuse(
    `Pipeline ${name} has steps of ${kilobytes(ofSteps)} and params of ${kilobytes(ofParams)}; a run records at most ${kilobytes(eventBytesMax)} of both. ` +
      'Give large params as a file that a source reads, and columns shorter names.',
  );
}

interface DefinedPipeline {
  readonly draft: Draft;
  readonly returned: Plan['returned'];
}

function runDefinition(pipeline: Pipeline, params: Readonly<Record<string, unknown>>): DefinedPipeline {
  const draft = new Draft();
  const leaves = callDefinition(pipeline, draft.builder(params));
  draft.end();
  if (leaves instanceof Promise) {
    leaves.catch(() => undefined);
    refuse(
      `Pipeline ${pipeline.name} is defined by an async function, but a definition is synchronous. Await inside steps and sources instead.`,
    );
  }
  if (draft.steps.length === 0) refuse(`Pipeline ${pipeline.name} has no step. Begin with a source.`);
  return { draft, returned: leaves === undefined || leaves === null ? new Map() : resolveReturned(draft, leaves) };
}

/** Calls a definition. An error that it throws becomes `Fault('invalid-pipeline')`, because the user must fix it. */
function callDefinition(pipeline: Pipeline, builder: Builder<never>): unknown {
  try {
    return pipeline.define(builder);
  } catch (error) {
    if (isFault(error) || isAssertionError(error)) throw error;
    const message = `Pipeline ${pipeline.name} threw while it was defined${findThrowSite(error)}: ${messageOf(error)}`;
    throw new Fault('invalid-pipeline', /[.!?]$/.test(message) ? message : `${message}.`, { cause: error });
  }
}

function resolveReturned(draft: Draft, leaves: unknown): Plan['returned'] {
  if (typeof leaves !== 'object' || leaves === null || draft.stepOf(leaves) !== undefined)
    refuse('a definition returns its leaves by name, { leaf }, or nothing.');
  return new Map(
    Object.entries(leaves).map(([name, node]) => [
      name,
      draft.stepOf(node) ?? refuse(`the returned value ${name} is not a node of this pipeline. Return { name: node }, or nothing.`),
    ]),
  );
}

interface PlanData {
  readonly manifest: Manifest;
  readonly definition: Definition;
}

function describe(
  name: string,
  steps: readonly DraftStep[],
  concurrency: Readonly<Record<string, number>>,
  sources: Definition['sources'],
): PlanData {
  for (const [step, calls] of Object.entries(concurrency)) {
    if (!steps.some(({ name }) => name === step))
      refuse(
        `--concurrency names step ${step}, which does not exist. The pipeline has ${steps.map((planned) => planned.name).join(', ')}.`,
      );
    if (!Number.isInteger(calls) || calls < 1 || calls > 10_000)
      refuse(`--concurrency ${step}=${calls}: calls in flight are a whole number from 1 to 10000.`);
  }
  const signatures = new Map<string, string>();
  const definitions = steps.map((step) => describeStep(step));
  const manifestSteps = steps.map((step, index) => {
    const ancestors = step.upstream.map((name) => signatures.get(name) ?? '');
    const key = step.operator === 'source' ? step.key : null;
    // Without a key the signature stays as it was in versions that had no keys.
    const keys = key === null ? [] : [key];
    const signature = sha256(canonicalJson([step.name, definitions[index]?.parts, ancestors, ...keys]));
    signatures.set(step.name, signature);
    const { operator, upstream, cut, adds, from, fork } = step;
    const calls = Object.hasOwn(concurrency, step.name) ? concurrency[step.name] : undefined;
    const options = { ...step.options, concurrency: calls ?? step.options.concurrency };
    return { name: step.name, operator, upstream, cut, options, adds, from, fork, key, signature };
  });
  const definition: Definition = { version: 1, pipeline: name, steps: definitions, sources };
  const signature = sha256(canonicalJson([name, manifestSteps.map((step) => step.signature), sources]));
  return { manifest: { pipeline: name, steps: manifestSteps, signature }, definition };
}

function describeStep(step: DraftStep): Definition['steps'][number] {
  const { name, columns, id, version, code, operator, upstream, cut, options, from, fork } = step;
  const captures = toData(step.captures, 'captures', step);
  const settings = toData(step.settings, 'settings', step);
  return {
    name,
    columns,
    id,
    version,
    code,
    captures,
    settings,
    parts: {
      operator: hash([operator, upstream, from, fork, id, version]),
      options: hash([cut, options.onError]),
      columns: hash(columns),
      code: hash(code),
      captures: hash([captures, settings]),
    },
  };
}

const hash = (value: unknown): string => sha256(canonicalJson(value));

function toData(value: unknown, what: string, { name, site }: DraftStep): Definition['steps'][number]['captures'] {
  try {
    return JSON.parse(canonicalJson(value)) as Definition['steps'][number]['captures'];
  } catch (error) {
    return refuse(`${what} must be JSON: ${messageOf(error)}.`, { step: name, site });
  }
}
