import type { Loaded } from './loaded.ts';
import { loadedDiff } from './loaded-diff.ts';
import type { Definition, DefinitionStep, Manifest } from './manifest.ts';

/** A pipeline as data. */
export interface DefinedPipeline {
  readonly manifest: Manifest;
  readonly definition: Definition;
  /** The packages and imports that were loaded with it, if they are known. */
  readonly loaded?: Loaded | null | undefined;
}

/** How a step differs between two definitions. `follows`: the step is the same, but a step above it differs. */
export interface StepChange {
  readonly step: string;
  readonly kind: 'unchanged' | 'changed' | 'follows' | 'added' | 'removed';
  /** The parts that differ: operator, options, columns, code, captures, key. `sources` and `packages` if only the pipeline's files or packages differ. */
  readonly parts: readonly string[];
  readonly signature: string;
}

/** Compares a recorded definition with the current one, step by step. */
export function definitionDiff(recorded: DefinedPipeline, now: DefinedPipeline): readonly StepChange[] {
  const before = new Map(recorded.definition.steps.map((step) => [step.name, step]));
  const plannedBefore = new Map(recorded.manifest.steps.map((step) => [step.name, step]));
  const plannedNow = new Map(now.manifest.steps.map((step) => [step.name, step]));
  // A function may use a constant, such as a prompt, that is not in its own text. If files differ but no step does, every step may have changed.
  const changedContext = [
    ...(changedFiles(recorded.definition, now.definition).length > 0 ? ['sources'] : []),
    ...(recorded.loaded && now.loaded && loadedDiff(recorded.loaded, now.loaded).length > 0 ? ['packages'] : []),
  ];
  const changes = now.definition.steps.map((step): StepChange => {
    const { signature = '', adds = [] } = plannedNow.get(step.name) ?? {};
    const old = before.get(step.name);
    if (!old) return { step: step.name, kind: 'added', parts: [], signature };
    const parts = Object.entries(step.parts)
      .filter(([part, hash]) => old.parts[part as keyof DefinitionStep['parts']] !== hash)
      .map(([part]) => part);
    // A `replace` step may add other columns although its output columns are the same.
    const addsOtherColumns = JSON.stringify(plannedBefore.get(step.name)?.adds ?? []) !== JSON.stringify(adds);
    if (addsOtherColumns && !parts.includes('columns')) parts.push('columns');
    if ((plannedBefore.get(step.name)?.key ?? null) !== (plannedNow.get(step.name)?.key ?? null)) parts.push('key');
    if (parts.length > 0) return { step: step.name, kind: 'changed', parts, signature };
    const isSame = plannedBefore.get(step.name)?.signature === signature;
    return { step: step.name, kind: isSame ? 'unchanged' : 'follows', parts: [], signature };
  });
  const removed = recorded.definition.steps
    .filter(({ name }) => !plannedNow.has(name))
    .map(({ name }): StepChange => ({ step: name, kind: 'removed', parts: [], signature: '' }));
  const all = [...changes, ...removed];
  if (changedContext.length === 0 || all.some(({ kind }) => kind !== 'unchanged')) return all;
  return all.map((change) => ({ ...change, kind: 'changed', parts: changedContext }));
}

/** Returns the paths of the pipeline's files that were changed, added or removed. */
export function changedFiles(recorded: Pick<Definition, 'sources'>, now: Pick<Definition, 'sources'>): readonly string[] {
  const before = new Map(recorded.sources.map(({ path, text }) => [path, text]));
  const after = new Map(now.sources.map(({ path, text }) => [path, text]));
  return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path)).sort();
}
