import type { Rejected } from '../schema/index.ts';
import { projection } from './projection.ts';

/** The losses of one step that have the same kind and cause. */
export interface ErrorGroup {
  readonly step: string;
  /** `rejected`: rows that were rejected. `batch`: batches that were given up. `attempt`: attempts that failed and were retried. */
  readonly kind: 'rejected' | 'batch' | 'attempt';
  readonly code: string;
  readonly count: number;
  /** Positions of the first and the last of these losses. */
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** The message of one of them. */
  readonly message: string;
}

/** Losses of a run, grouped by step, kind and cause. */
export interface ErrorsState {
  readonly groups: readonly ErrorGroup[];
  /** Number of losses without a group, because `groupsMax` groups were in use. */
  readonly others: number;
}

/** Maximum number of groups. Single rows are not kept: they are read from the log. */
const groupsMax = 200;

/** Groups rejected rows, failed batches and failed attempts by step and cause. */
export const errors = projection<ErrorsState>({
  name: 'errors',
  version: 2,
  initialState: () => ({ groups: [], others: 0 }),
  on: {
    // Rows that are tried again are no longer lost. If they are rejected again, they count again.
    RunReopened: (state, { data }) => ({
      ...state,
      groups: state.groups.flatMap((group) => {
        const retried = data.rejected.find(({ step, code }) => group.kind === 'rejected' && step === group.step && code === group.code);
        const count = group.count - (retried?.rows ?? 0);
        return count > 0 ? { ...group, count } : [];
      }),
    }),
    BatchSucceeded: (state, { step, position, data }) => addRejections(state, step, position, data.rejected),
    BatchFailed: (state, { step, position, data }) =>
      addToGroup(state, {
        step,
        kind: data.retryInMs === null ? 'batch' : 'attempt',
        code: data.error.code,
        count: 1,
        firstPosition: position,
        lastPosition: position,
        message: data.error.message,
      }),
  },
});

function addRejections(state: ErrorsState, step: string, position: number, rejected: Rejected): ErrorsState {
  let next = state;
  for (const [code, count] of Object.entries(rejected.codes)) {
    const message = rejected.rows.find((row) => row.code === code)?.message ?? '';
    next = addToGroup(next, { step, kind: 'rejected', code, count, firstPosition: position, lastPosition: position, message });
  }
  return next;
}

function addToGroup(state: ErrorsState, loss: ErrorGroup): ErrorsState {
  const at = state.groups.findIndex(({ step, kind, code }) => step === loss.step && kind === loss.kind && code === loss.code);
  const group = state.groups[at];
  if (!group) {
    return state.groups.length < groupsMax
      ? { ...state, groups: [...state.groups, loss] }
      : { ...state, others: state.others + loss.count };
  }
  const merged = { ...group, count: group.count + loss.count, lastPosition: loss.lastPosition, message: group.message || loss.message };
  return { ...state, groups: state.groups.with(at, merged) };
}
