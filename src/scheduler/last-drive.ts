import type { Actor, Loaded } from '../../schema/index.ts';
import { canonicalJson } from '../kit/json.ts';
import { runLogId, type EventLog, type Head } from '../log/index.ts';

/** The last process that drove a run, and the code that was loaded with its pipeline, as far as recorded. */
export interface LastDrive {
  readonly actor: Actor | null;
  readonly loaded: Loaded | null;
}

/** Reads how a run was driven last, as of `head`. */
export async function lastDrive(log: EventLog, runId: string, head: Head): Promise<LastDrive> {
  let last: LastDrive = { actor: null, loaded: null };
  for await (const page of log.read(runLogId(runId), { to: head.position, types: ['RunStarted', 'RunResumed', 'RunReopened'] })) {
    for (const event of page)
      if (event.type === 'RunStarted' || event.type === 'RunResumed' || event.type === 'RunReopened')
        last = { actor: event.data.actor, loaded: event.data.loaded ?? last.loaded };
  }
  return last;
}

/** Returns the loaded code as an event's member, or nothing where the log has the same already. */
export const newlyLoaded = (loaded: Loaded | null | undefined, last: LastDrive): { readonly loaded?: Loaded } =>
  !loaded || (last.loaded && canonicalJson(loaded) === canonicalJson(last.loaded)) ? {} : { loaded };
