import type { RecordedEvent } from '../../schema/index.ts';
import { readBeginning } from '../distiset/index.ts';
import { Fault } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';
import { runLogId, type Store } from '../log/index.ts';
import { rowReader, rowsOf, type RowName } from '../rows/index.ts';
import { chooseRows, type RowChoice, type RowRange } from './row-choice.ts';
import { readStates } from './run-states.ts';
import type { RunStates } from '../../projections/index.ts';

/** A row of a step, with its place and the position of the event that recorded it. */
export interface StepRow extends RowName {
  readonly position: number;
  readonly values: JsonObject;
}

/** Rows of one step as of a position. */
export interface StepRows {
  /** All columns, in order. */
  readonly columns: readonly string[];
  /** Number of rows that the step has as of the position. */
  readonly total: number;
  /** The run's states as of the position. */
  readonly states: RunStates;
  /** Reads the chosen rows, in order (pass, batch, row). */
  readChosen(choice: RowChoice): AsyncGenerator<StepRow>;
  /** Reads all rows of one success. */
  readBatch(success: RecordedEvent<'BatchSucceeded'>): Promise<readonly StepRow[]>;
}

export interface StepRowsOptions {
  readonly step: string | undefined;
  readonly position: number;
  /** Last position that `readBatch` may read; default: `position`. */
  readonly to?: number | undefined;
}

/** Returns the rows of any step of a run as of a position. Throws `Fault('unknown-step')`. */
export async function stepRows(store: Store, runId: string, { step, position, to = position }: StepRowsOptions): Promise<StepRows> {
  const logId = runLogId(runId);
  const [started, definition] = await readBeginning(store, logId);
  const states = await readStates(store, runId, position);
  const state = requireStep(states, runId, step);
  const columns = definition.steps.find(({ name }) => name === state.step)?.columns.map(({ name }) => name) ?? [];
  const reader = rowReader({ log: store.log, chunks: store.chunks, logId, to, steps: started.data.manifest.steps });

  const successes = async function* (): AsyncGenerator<RecordedEvent<'BatchSucceeded'>> {
    for await (const page of store.log.readSuccesses(logId, { step: state.step, to: position })) {
      for (const success of page) {
        // Batches after the one that ended the step do not count.
        if (state.end !== null && success.batch >= state.end) continue;
        if (success.data.rows > 0) yield success;
      }
    }
  };
  const readRange = async ({ success, from, to: end }: RowRange): Promise<readonly StepRow[]> => {
    reader.note(success);
    const { pass, batch, position: at } = success;
    const found: StepRow[] = [];
    let first = 0;
    for await (const part of reader.output(success)) {
      const begin = Math.max(0, from - first);
      const rows = await rowsOf(part, columns, begin, Math.min(part.count, end - first));
      for (const [index, values] of rows.entries())
        found.push({ step: state.step, pass, batch, row: first + begin + index, position: at, values });
      first += part.count;
      if (first >= end) break;
    }
    return found;
  };
  return {
    columns,
    total: state.total,
    states,
    readChosen: async function* (choice) {
      for await (const range of chooseRows(successes, choice)) yield* await readRange(range);
    },
    readBatch: (success) => readRange({ success, from: 0, to: success.data.rows }),
  };
}

/** Returns the name of a step, the batch that ended it (or null), and its number of rows. */
function requireStep({ graph, progress }: RunStates, runId: string, step: string | undefined) {
  const names = graph.order.join(', ');
  if (step === undefined) throw new Fault('unknown-step', `No step is named. Add --step NAME. Steps of run ${runId}: ${names}.`);
  if (!Object.hasOwn(graph.steps, step))
    throw new Fault('unknown-step', `Run ${runId} has no step ${step}. Its steps: ${names}.`, { details: { step } });
  return { step, end: graph.steps[step]?.end ?? null, total: progress.steps[step]?.rows.out ?? 0 };
}
