import type { Actor, Loaded } from '../../schema/index.ts';
import { canonicalJson } from '../kit/json.ts';
import { runLogId, type EventLog, type Head } from '../log/index.ts';

/** The last process that drove a run, and the code that was loaded with its pipeline, as far as recorded. */
export interface LastDrive {
  readonly actor: Actor | null;
  readonly loaded: Loaded | null;
}

/** Reads which process drove a run last, as of `head`, and with which code. */
export async function lastDrive(log: EventLog, runId: string, head: Head): Promise<LastDrive> {
  let last: LastDrive = { actor: null, loaded: null };
  for await (const page of log.read(runLogId(runId), { to: head.position, types: ['RunStarted', 'RunResumed', 'RunReopened'] })) {
    for (const event of page)
      if (event.type === 'RunStarted' || event.type === 'RunResumed' || event.type === 'RunReopened')
        last = { actor: event.data.actor, loaded: event.data.loaded ?? last.loaded };
  }
  return last;
}

/** Returns the loaded code as a member of an event, or no member if the log has the same already. */
export const newlyLoaded = (loaded: Loaded | null | undefined, last: LastDrive): { readonly loaded?: Loaded } =>
  !loaded || (last.loaded && canonicalJson(loaded) === canonicalJson(last.loaded)) ? {} : { loaded };
