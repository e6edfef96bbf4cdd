import { storableMessage, type Actor, type NewEvent } from '../../schema/index.ts';
import type { PauseWish } from './worker-port.ts';

/** Why a run should stop: the reason and message of its `RunPaused` or `RunCancelled`. */
export interface StopWish extends PauseWish {
  readonly kind: 'pause' | 'cancel';
  readonly step: string | null;
  readonly actor: Actor;
}

/** Returns the event that puts a run at rest for this reason. */
export const stopEvent = ({ kind, reason, message, step, actor }: StopWish): NewEvent<'RunCancelled' | 'RunPaused'> =>
  kind === 'cancel'
    ? { type: 'RunCancelled', data: { reason: 'asked', message: storableMessage(message), actor } }
    : { type: 'RunPaused', data: { reason, message: storableMessage(message), step, actor } };
