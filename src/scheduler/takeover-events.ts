import type { GraphState } from '../../projections/index.ts';
import type { AcceptedChange, Actor, Loaded, NewEvent } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import type { Chunk, Head } from '../log/index.ts';
import { newlyLoaded, type LastDrive } from './last-drive.ts';

/** The number of a batch and its step. */
export interface NamedBatch {
  readonly step: string;
  readonly batch: number;
}

/** A takeover of a run: its state as of `head`, the process that takes it over, and the changes that it makes. */
export interface Takeover {
  readonly before: GraphState;
  readonly head: Head;
  readonly last: LastDrive;
  readonly actor: Actor;
  readonly program: NewEvent<'RunResumed'>['data']['program'];
  /** Whether the connection of the previous driver was ended. */
  readonly seize: boolean;
  readonly acceptedChanges: readonly AcceptedChange[];
  /** The changed definition, or null. */
  readonly definition: Chunk | null;
  readonly loaded?: Loaded | null | undefined;
  readonly concurrency: Readonly<Record<string, number>>;
  /** Batches to skip. */
  readonly skip: readonly NamedBatch[];
}

/**
 * Returns the events that take a run over: they resume it under the next epoch, abandon the attempts of its last driver, and skip batches. Throws
 * `Fault('not-open')` for a batch to skip that is not open.
 */
export const takeoverEvents = (takeover: Takeover): readonly NewEvent[] => [
  resumedEvent(takeover),
  ...abandonedEvents(takeover),
  ...takeover.skip.map((batch) => skippedEvent(takeover.before, batch)),
];

const resumedEvent = (takeover: Takeover): NewEvent<'RunResumed'> => ({
  type: 'RunResumed',
  chunks: takeover.definition ? [takeover.definition.sha256] : [],
  data: {
    reason: takeover.seize ? 'taken-over' : 'resumed',
    epoch: takeover.head.epoch + 1,
    actor: takeover.actor,
    from: takeover.last.actor,
    positionSeen: takeover.head.position,
    acceptedChanges: takeover.acceptedChanges,
    concurrency: takeover.concurrency,
    program: takeover.program,
    ...newlyLoaded(takeover.loaded, takeover.last),
  },
});

const abandonedEvents = ({ before, head }: Takeover): readonly NewEvent<'BatchAbandoned'>[] =>
  before.order.flatMap((step) =>
    Object.entries(before.steps[step]?.open ?? {})
      .filter(([, { state }]) => state === 'running')
      .map(([batch, { attempt }]) => ({
        type: 'BatchAbandoned' as const,
        pass: before.pass,
        step,
        batch: Number(batch),
        attempt,
        data: { epoch: head.epoch },
      })),
  );

function skippedEvent(before: GraphState, { step, batch }: NamedBatch): NewEvent<'BatchFailed'> {
  const open = before.steps[step]?.open[String(batch)];
  if (!open) {
    const batches = Object.keys(before.steps[step]?.open ?? {});
    const hint = batches.length > 0 ? `Open batches of ${step}: ${batches.join(', ')}.` : `Step ${step} has no open batch.`;
    throw new Fault('not-open', `Batch ${batch} of step ${step} is not open, so it cannot be skipped. ${hint}`);
  }
  return {
    type: 'BatchFailed',
    pass: before.pass,
    step,
    batch,
    // The previous attempt has ended already, so this event ends the next attempt, which never starts.
    attempt: open.attempt + 1,
    data: {
      error: { code: 'skipped', name: 'Skipped', message: 'an operator skipped the batch', stack: '' },
      done: [],
      rows: 0,
      rejected: { count: 0, codes: {}, rows: [], inChunk: false },
      pending: open.rows,
      retryInMs: null,
      failsStep: false,
      counted: false,
      elapsedMs: 0,
      usage: [],
      calls: 0,
      checkpoints: 0,
    },
  };
}
