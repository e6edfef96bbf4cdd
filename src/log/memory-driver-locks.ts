import type { Clock } from '../kit/clock.ts';
import { Fault } from '../kit/fault.ts';
import { formatInstant } from '../kit/instant.ts';
import type { DriverAppendRequest, AppendResult, DriverSession, Holder, OpenDriverOptions, OpenedDriver } from './event-log.ts';

export interface MemoryDriverLocks {
  open(runId: string, options: OpenDriverOptions): OpenedDriver;
  holder(runId: string): Holder | null;
}

/** The driver locks of a memory log: one session a run, and a session that was seized is one whose connection is gone. */
export function memoryDriverLocks({
  clock,
  append,
}: {
  readonly clock: Clock;
  readonly append: (request: DriverAppendRequest, options: { readonly raise: boolean }) => AppendResult;
}): MemoryDriverLocks {
  const held = new Map<string, { readonly session: DriverSession; readonly holder: Holder }>();

  const sessionOf = (runId: string): DriverSession => {
    const send = (request: DriverAppendRequest, raise: boolean): AppendResult => {
      if (held.get(runId)?.session === session) return append(request, { raise });
      throw new Fault('connection-lost', `The connection that drives run ${runId} was ended.`, { details: { run: runId } });
    };
    const session: DriverSession = {
      runId,
      append: async (request) => send(request, false),
      takeOver: async (request) => send(request, true),
      close: async () => {
        if (held.get(runId)?.session === session) held.delete(runId);
      },
    };
    return session;
  };

  return {
    open: (runId, { seize = false, instead }) => {
      const current = held.get(runId);
      if (current && !seize && current.session !== instead) return { ok: false, code: 'driven', holder: current.holder };
      const session = sessionOf(runId);
      held.set(runId, { session, holder: { user: 'memory', host: 'memory', pid: process.pid, since: formatInstant(clock()) } });
      return { ok: true, session };
    },
    holder: (runId) => held.get(runId)?.holder ?? null,
  };
}
