import type { StepProgress } from '../../projections/index.ts';
import type { Store } from '../log/index.ts';
import { readStatesAt } from './run-states.ts';
import { stepViews, type StepView } from './step-views.ts';

/** Figures of one step at two positions, and the difference of its rows. */
export interface StepChanges {
  readonly name: string;
  readonly before: StepView | null;
  readonly after: StepView | null;
  readonly rows: Pick<StepProgress['rows'], 'in' | 'out' | 'rejected'>;
}

/** Returns each step's figures as of two positions of a run, in the order of the pipeline. Figures are null before the run started. */
export async function stepChanges(
  store: Pick<Store, 'log' | 'snapshots'>,
  runId: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly StepChanges[]> {
  const [before = [], after = []] = (await readStatesAt(store, runId, [from, to])).map(stepViews);
  const names = [...new Set([...after, ...before].map(({ name }) => name))];
  return names.map((name) => {
    const [was = null, is = null] = [before, after].map((steps) => steps.find((step) => step.name === name) ?? null);
    const difference = (key: 'in' | 'out' | 'rejected') => (is?.rows[key] ?? 0) - (was?.rows[key] ?? 0);
    return { name, before: was, after: is, rows: { in: difference('in'), out: difference('out'), rejected: difference('rejected') } };
  });
}
