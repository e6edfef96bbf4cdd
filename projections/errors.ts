import type { Rejected } from '../schema/index.ts';
import { projection } from './projection.ts';

/** Losses of one cause in one step. */
export interface ErrorGroup {
  readonly step: string;
  /** `rejected`: rows given up. `batch`: a batch given up. `attempt`: an attempt that failed and was made again. */
  readonly kind: 'rejected' | 'batch' | 'attempt';
  readonly code: string;
  readonly count: number;
  /** Where it was met first and last, and one message. */
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly message: string;
}

export interface ErrorsState {
  readonly groups: readonly ErrorGroup[];
  /** Losses of further causes, once there are as many groups as are kept. */
  readonly others: number;
}

/** Groups kept; the list of single rows is read from the log. */
const groupsMax = 200;

/** What was lost and what went wrong on the way, grouped by step and cause. */
export const errors = projection<ErrorsState>({
  name: 'errors',
  version: 2,
  initialState: () => ({ groups: [], others: 0 }),
  on: {
    // What is tried again is lost no more; if it is rejected again, it counts again.
    RunReopened: (state, { data }) => ({
      ...state,
      groups: state.groups.flatMap((group) => {
        const again = data.rejected.find(({ step, code }) => group.kind === 'rejected' && step === group.step && code === group.code);
        const count = group.count - (again?.rows ?? 0);
        return count > 0 ? { ...group, count } : [];
      }),
    }),
    BatchSucceeded: (state, { step, position, data }) => rejections(state, step, position, data.rejected),
    BatchFailed: (state, { step, position, data }) =>
      grouped(state, {
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

function rejections(state: ErrorsState, step: string, position: number, rejected: Rejected): ErrorsState {
  let next = state;
  for (const [code, count] of Object.entries(rejected.codes)) {
    const message = rejected.rows.find((row) => row.code === code)?.message ?? '';
    next = grouped(next, { step, kind: 'rejected', code, count, firstPosition: position, lastPosition: position, message });
  }
  return next;
}

function grouped(state: ErrorsState, one: ErrorGroup): ErrorsState {
  const at = state.groups.findIndex(({ step, kind, code }) => step === one.step && kind === one.kind && code === one.code);
  const before = state.groups[at];
  if (!before) {
    return state.groups.length < groupsMax ? { ...state, groups: [...state.groups, one] } : { ...state, others: state.others + one.count };
  }
  const merged = { ...before, count: before.count + one.count, lastPosition: one.lastPosition, message: before.message || one.message };
  return { ...state, groups: state.groups.with(at, merged) };
}
