import type { Definition, DefinitionStep, RecordedEvent } from '../../schema/index.ts';
import type { Json } from '../kit/json.ts';
import { lineDifference } from '../kit/line-difference.ts';
import type { Store } from '../log/index.ts';
import { definitionsFrom, type RunDefinition } from './run-definitions.ts';

/** A definition of a run, and the positions at which it applied. */
export interface DefinitionPeriod {
  readonly from: number;
  readonly to: number;
  readonly recordedAt: string;
  /** SHA-256 of the definition, which is stored as a chunk. */
  readonly sha256: string;
  readonly program: RunDefinition['program'];
  /** Steps that differ from the previous definition, as the user accepted them. The first definition has none. */
  readonly changes: readonly StepDifference[];
  /** Files of the pipeline that differ from the previous definition. */
  readonly files: readonly FileDifference[];
}

/** The difference between a step and the same step in the previous definition. */
export interface StepDifference {
  readonly step: string;
  /** `follows`: the step itself is unchanged, but a step above it changed. */
  readonly kind: 'changed' | 'follows';
  readonly parts: readonly string[];
  /** Removed (`- `) and added (`+ `) lines of the step's code, captures and settings. */
  readonly difference: readonly string[];
}

/** The difference between two versions of a pipeline's file. Lines are listed only if no step differs, so that no change is shown twice. */
export interface FileDifference {
  readonly path: string;
  readonly difference: readonly string[];
}

/** Lists the definitions of a run up to a position, each with its changes. `first` is the run's first event and definition. */
export async function definitionPeriods(
  store: Store,
  first: readonly [RecordedEvent<'RunStarted'>, Definition],
  position: number,
): Promise<readonly DefinitionPeriod[]> {
  const definitions = await definitionsFrom(store, first, position);
  const periods: DefinitionPeriod[] = [];
  let [, before] = first;
  for (const [index, { position: from, recordedAt, sha256, program, acceptedChanges, read }] of definitions.entries()) {
    const now = await read();
    const changes = acceptedChanges.map(({ step, kind, parts }): StepDifference => {
      return { step, kind, parts, difference: kind === 'follows' ? [] : stepDifference(stepOf(before, step), stepOf(now, step)) };
    });
    const isInFilesOnly = changes.some(({ parts }) => parts.includes('sources'));
    const to = (definitions[index + 1]?.position ?? position + 1) - 1;
    periods.push({ from, to, recordedAt, sha256, program, changes, files: changedFiles(before, now, isInFilesOnly) });
    before = now;
  }
  return periods;
}

/** Maximum number of lines listed per step or file. */
const linesMax = 200;

function changedLines(before: string, after: string): readonly string[] {
  const { removed, added } = lineDifference(before, after);
  return [...limitLines(removed, '-'), ...limitLines(added, '+')];
}

const limitLines = (lines: readonly string[], sign: string): readonly string[] => [
  ...lines.slice(0, linesMax).map((line) => `${sign} ${line}`),
  ...(lines.length > linesMax ? [`${sign} … ${lines.length - linesMax} more lines`] : []),
];

function changedFiles(before: Definition, now: Definition, withLines: boolean): readonly FileDifference[] {
  const previous = new Map(before.sources.map(({ path, text }) => [path, text]));
  const current = new Map(now.sources.map(({ path, text }) => [path, text]));
  return [...new Set([...previous.keys(), ...current.keys()])]
    .filter((path) => previous.get(path) !== current.get(path))
    .sort()
    .map((path) => ({ path, difference: withLines ? changedLines(previous.get(path) ?? '', current.get(path) ?? '') : [] }));
}

const stepOf = ({ steps }: Definition, name: string): DefinitionStep | undefined => steps.find((step) => step.name === name);

/** Compares the inputs of a step's signature: facts one by one, code line by line. */
function stepDifference(before: DefinitionStep | undefined, now: DefinitionStep | undefined): readonly string[] {
  const previous = before ? factsOf(before) : [];
  const current = now ? factsOf(now) : [];
  const linesIn = (facts: readonly string[], others: readonly string[]) =>
    facts.filter((fact) => !others.includes(fact)).flatMap((fact) => fact.split('\n'));
  const code = lineDifference(before?.code ?? '', now?.code ?? '');
  return [
    ...limitLines(linesIn(previous, current), '-'),
    ...limitLines(linesIn(current, previous), '+'),
    ...limitLines(code.removed, '-'),
    ...limitLines(code.added, '+'),
  ];
}

const factsOf = ({ id, version, captures, settings }: DefinitionStep): readonly string[] => [
  ...(id === null ? [] : [`id: ${id}`]),
  ...(version === null ? [] : [`version: ${version}`]),
  ...(captures === null ? [] : factsIn('captures', captures)),
  ...(settings === null ? [] : factsIn('settings', settings)),
];

/** Formats a value as lines of `path: value`, one for each member at any depth. Line breaks in a text are kept. */
function factsIn(path: string, value: Json): readonly string[] {
  if (typeof value === 'object' && value !== null) {
    const members = Array.isArray(value)
      ? value.map((item: Json, index) => [`${path}[${index}]`, item] as const)
      : Object.entries(value).map(([key, member]) => [`${path}.${key}`, member ?? null] as const);
    if (members.length > 0) return members.flatMap(([at, member]) => factsIn(at, member));
    return [`${path}: ${Array.isArray(value) ? '[]' : '{}'}`];
  }
  const isText = typeof value === 'string' && value.includes('\n');
  return [isText ? `${path}:\n  ${value.replaceAll('\n', '\n  ')}` : `${path}: ${JSON.stringify(value)}`];
}
