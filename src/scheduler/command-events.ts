import type { Actor, NewEvent, Span } from '../../schema/index.ts';
import type { Command, StartBatch } from './commands.ts';

/** Facts that an event needs and its command does not contain. */
export interface EventFacts {
  readonly pass: number;
  readonly actor: Actor;
  /** The worker's name. */
  readonly worker: string;
  /** Number and origin of the items of a source that is started, or null for other steps. */
  readonly source: NewEvent<'StepStarted'>['data'] | null;
  /** Items that a source's batch reads at most, or null for other steps. */
  readonly sourceRows: number | null;
  /** Input rows that the batch retries because an earlier pass rejected them. */
  readonly retried: readonly Span[];
}

/** Returns the event that records a command. */
export function commandEvent(command: Command, facts: EventFacts): NewEvent {
  const { pass, actor } = facts;
  switch (command.type) {
    case 'StartStep':
      return { type: 'StepStarted', pass, step: command.step, data: facts.source ?? { count: null, origin: null } };
    case 'StartBatch':
      return batchStarted(command, facts);
    case 'FinishStep':
      return { type: 'StepFinished', pass, step: command.step, data: {} };
    case 'FailStep':
      return {
        type: 'StepFailed',
        pass,
        step: command.step,
        data: { error: { code: command.code, name: 'StepFailed', message: command.message, stack: '' } },
      };
    case 'PauseRun': {
      const { step, batch, losses } = command;
      const message =
        `batch ${batch} of step ${step} crashed its driver ${losses} times while nothing else ran; ` +
        `resume tries it once more, resume --skip ${step}/${batch} skips it`;
      return { type: 'RunPaused', data: { reason: 'poison', message, step, actor } };
    }
    case 'FinishRun':
      return { type: 'RunFinished', data: { outcome: command.outcome } };
  }
}

function batchStarted(command: StartBatch, { pass, worker, sourceRows, retried }: EventFacts): NewEvent<'BatchStarted'> {
  const { step, batch, attempt, offset, alone } = command;
  const inputs = retried.length > 0 ? [...retried, ...command.inputs] : command.inputs;
  return { type: 'BatchStarted', pass, step, batch, attempt, data: { inputs, offset, rows: sourceRows ?? command.rows, alone, worker } };
}
