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
import { refuse, thrownAt } from './refuse.ts';
import { refuseSecrets, refuseShortSecrets, withoutSecrets } from './refuse-secrets.ts';
import type { RunnableStep } from './runnable.ts';

export interface PlanOptions {
  /** Raw values; parsed with the pipeline's params schema. */
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /** Calls in flight, by step. */
  readonly concurrency?: Readonly<Record<string, number>> | undefined;
  /** The pipeline's own files, for the signature. */
  readonly sources?: Definition['sources'] | undefined;
  /** What was loaded with them, where that is known. */
  readonly loaded?: Loaded | null | undefined;
}

/** A pipeline that is ready to run: as data, to be recorded, and as functions, to be called. */
export interface Plan {
  readonly manifest: Manifest;
  readonly definition: Definition;
  /** What was loaded with the pipeline's files: recorded with a run, and compared when it goes on. Null: unknown. */
  readonly loaded: Loaded | null;
  readonly params: JsonObject;
  readonly secrets: readonly { readonly name: string; readonly value: string }[];
  /**
   * In topological order.
   * @internal
   */
  readonly steps: ReadonlyMap<string, RunnableStep>;
  /** Steps of the nodes that the definition returned, by the names that it gave them. */
  readonly returned: ReadonlyMap<string, string>;
}

/**
 * Plans a pipeline: runs its definition twice, checks and compares, and writes it down. Throws `Fault('invalid-pipeline')` and `Fault('invalid-params')`,
 * which say what is wrong, where, and what to write instead.
 */
export function plan(pipeline: Pipeline, { params = {}, concurrency = {}, sources = [], loaded = null }: PlanOptions = {}): Plan {
  if (!isPipeline(pipeline)) refuse(`What is to be planned is no pipeline: make one by pipeline('name', ({ source }) => { … }).`);
  const { name } = pipeline;
  if (typeof name !== 'string' || !namePattern.test(name) || name.length > nameLengthMax) {
    refuse(`${JSON.stringify(name)} cannot be a pipeline's name: use letters, digits, _ and -, at most ${nameLengthMax}.`);
  }
  if (typeof pipeline.define !== 'function')
    refuse(`Pipeline ${name} has no definition: write pipeline('${name}', ({ source }) => { … }).`);
  if (typeof (pipeline.params as Partial<Pipeline['params']> | undefined)?.shape !== 'object')
    refuse(`The params of pipeline ${name} must be a z.object({ … }).`);
  const odd = Object.entries(pipeline.params.shape).find(
    ([, member]) => (member as { readonly _zod?: unknown } | null)?._zod === undefined,
  );
  if (odd) refuse(`Param ${odd[0]} of pipeline ${name} is no zod schema: write { ${odd[0]}: z.string() }, for example.`);
  const parsed = parseParams(pipeline.params, params);
  refuseShortSecrets(parsed.secrets);
  const { draft, returned } = withoutSecrets(parsed.secrets, () => defined(pipeline, parsed.all));
  const { draft: again } = withoutSecrets(parsed.secrets, () => defined(pipeline, parsed.all));
  const data = describe(name, draft.steps, concurrency, sources);
  const dataAgain = describe(name, again.steps, concurrency, sources);
  if (canonicalJson(data) !== canonicalJson(dataAgain)) {
    const differing = definitionDiff(data, dataAgain).find(({ kind }) => kind !== 'unchanged' && kind !== 'follows');
    const what = differing ? ` (step ${differing.step}${differing.kind === 'changed' ? `: ${differing.parts.join(', ')}` : ''})` : '';
    refuse(
      `Pipeline ${name} came out differently the second time its definition ran${what}: it may depend on its params only, not on time, chance or outside state.`,
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

/** What a run's first event holds beside steps and params, and then some: the packages that were loaded take up to a hundred bytes each, or two. */
const firstEventBytesSpare = 256 * 1024;

/** Steps and params are written into a run's first event. */
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

interface Defined {
  readonly draft: Draft;
  readonly returned: Plan['returned'];
}

function defined(pipeline: Pipeline, params: Readonly<Record<string, unknown>>): Defined {
  const draft = new Draft();
  const leaves = definedBy(pipeline, draft.builder(params));
  draft.end();
  if (leaves instanceof Promise) {
    leaves.catch(() => undefined);
    refuse(`Pipeline ${pipeline.name} is defined by an async function: a definition is synchronous; wait inside steps and sources.`);
  }
  if (draft.steps.length === 0) refuse(`Pipeline ${pipeline.name} has no step: begin with a source.`);
  return { draft, returned: leaves === undefined || leaves === null ? new Map() : returnedSteps(draft, leaves) };
}

/** What a definition returns. What it throws is the user's to mend. */
function definedBy(pipeline: Pipeline, builder: Builder<never>): unknown {
  try {
    return pipeline.define(builder);
  } catch (error) {
    if (isFault(error) || isAssertionError(error)) throw error;
    const message = `Pipeline ${pipeline.name} threw while it was defined${thrownAt(error)}: ${messageOf(error)}`;
    throw new Fault('invalid-pipeline', /[.!?]$/.test(message) ? message : `${message}.`, { cause: error });
  }
}

function returnedSteps(draft: Draft, leaves: unknown): Plan['returned'] {
  if (typeof leaves !== 'object' || leaves === null || draft.stepOf(leaves) !== undefined)
    refuse('a definition returns its leaves by name, { leaf }, or nothing.');
  return new Map(
    Object.entries(leaves).map(([name, node]) => [
      name,
      draft.stepOf(node) ?? refuse(`what is returned as ${name} is no node of this pipeline: return { name: node }, or nothing.`),
    ]),
  );
}

interface Described {
  readonly manifest: Manifest;
  readonly definition: Definition;
}

function describe(
  name: string,
  steps: readonly DraftStep[],
  concurrency: Readonly<Record<string, number>>,
  sources: Definition['sources'],
): Described {
  for (const [step, calls] of Object.entries(concurrency)) {
    if (!steps.some((each) => each.name === step))
      refuse(`--concurrency names step ${step}; the pipeline has ${steps.map((each) => each.name).join(', ')}.`);
    if (!Number.isInteger(calls) || calls < 1 || calls > 10_000)
      refuse(`--concurrency ${step}=${calls}: calls in flight are a whole number from 1 to 10000.`);
  }
  const signatures = new Map<string, string>();
  const definitions = steps.map((step) => definitionStep(step));
  const manifestSteps = steps.map((step, index) => {
    const ancestors = step.upstream.map((each) => signatures.get(each) ?? '');
    const key = step.operator === 'source' ? step.key : null;
    // Without a key it is what it was before there were keys.
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

function definitionStep(step: DraftStep): Definition['steps'][number] {
  const { name, columns, id, version, code, operator, upstream, cut, options, from, fork } = step;
  const captures = asData(step.captures, 'captures', step);
  const settings = asData(step.settings, 'settings', step);
  return {
    name,
    columns,
    id,
    version,
    code,
    captures,
    settings,
    parts: {
      operator: hashOf([operator, upstream, from, fork, id, version]),
      options: hashOf([cut, options.onError]),
      columns: hashOf(columns),
      code: hashOf(code),
      captures: hashOf([captures, settings]),
    },
  };
}

const hashOf = (value: unknown): string => sha256(canonicalJson(value));

function asData(value: unknown, what: string, { name, site }: DraftStep): Definition['steps'][number]['captures'] {
  try {
    return JSON.parse(canonicalJson(value)) as Definition['steps'][number]['captures'];
  } catch (error) {
    return refuse(`${what} must be JSON: ${messageOf(error)}.`, { step: name, site });
  }
}
