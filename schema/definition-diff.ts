import type { Loaded } from './loaded.ts';
import { loadedDiff } from './loaded-diff.ts';
import type { Definition, DefinitionStep, Manifest } from './manifest.ts';

/** A pipeline as data. */
export interface DefinedPipeline {
  readonly manifest: Manifest;
  readonly definition: Definition;
  /** What was loaded with it, where that is known. */
  readonly loaded?: Loaded | null | undefined;
}

/** What became of a step between two definitions. `follows`: it is the same, and something above it is not. */
export interface StepChange {
  readonly step: string;
  readonly kind: 'unchanged' | 'changed' | 'follows' | 'added' | 'removed';
  /** Which parts differ: operator, options, columns, code, captures, key; `sources` and `packages` where only the pipeline's files and packages do. */
  readonly parts: readonly string[];
  readonly signature: string;
}

/** Compares a recorded definition with the one at hand, step by step. */
export function definitionDiff(recorded: DefinedPipeline, now: DefinedPipeline): readonly StepChange[] {
  const before = new Map(recorded.definition.steps.map((step) => [step.name, step]));
  const plannedBefore = new Map(recorded.manifest.steps.map((step) => [step.name, step]));
  const plannedNow = new Map(now.manifest.steps.map((step) => [step.name, step]));
  // A prompt in a constant above the function is not in the function's text: where files differ and no step does, every step may have changed.
  const around = [
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
    // A replacement may add other columns and leave all that go out the same.
    const addsElse = JSON.stringify(plannedBefore.get(step.name)?.adds ?? []) !== JSON.stringify(adds);
    if (addsElse && !parts.includes('columns')) parts.push('columns');
    if ((plannedBefore.get(step.name)?.key ?? null) !== (plannedNow.get(step.name)?.key ?? null)) parts.push('key');
    if (parts.length > 0) return { step: step.name, kind: 'changed', parts, signature };
    const isSame = plannedBefore.get(step.name)?.signature === signature;
    return { step: step.name, kind: isSame ? 'unchanged' : 'follows', parts: [], signature };
  });
  const removed = recorded.definition.steps
    .filter(({ name }) => !plannedNow.has(name))
    .map(({ name }): StepChange => ({ step: name, kind: 'removed', parts: [], signature: '' }));
  const all = [...changes, ...removed];
  if (around.length === 0 || all.some(({ kind }) => kind !== 'unchanged')) return all;
  return all.map((change) => ({ ...change, kind: 'changed', parts: around }));
}

/** Paths of the pipeline's files that differ, come or go. */
export function changedFiles(recorded: Pick<Definition, 'sources'>, now: Pick<Definition, 'sources'>): readonly string[] {
  const before = new Map(recorded.sources.map(({ path, text }) => [path, text]));
  const after = new Map(now.sources.map(({ path, text }) => [path, text]));
  return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path)).sort();
}
