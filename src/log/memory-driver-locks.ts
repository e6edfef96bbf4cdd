import type { Clock } from '../kit/clock.ts';
import { Fault } from '../kit/fault.ts';
import { formatInstant } from '../kit/instant.ts';
import type { DriverAppendRequest, AppendResult, DriverSession, Holder, OpenDriverOptions, OpenedDriver } from './event-log.ts';

/** Driver locks in memory. */
export interface MemoryDriverLocks {
  open(runId: string, options: OpenDriverOptions): OpenedDriver;
  holder(runId: string): Holder | null;
}

/** Creates the driver locks of a memory log. A run has one session. A seized session behaves as if its connection were lost. */
export function memoryDriverLocks({
  clock,
  append,
}: {
  readonly clock: Clock;
  readonly append: (request: DriverAppendRequest, options: { readonly raise: boolean }) => AppendResult;
}): MemoryDriverLocks {
  const locks = new Map<string, { readonly session: DriverSession; readonly holder: Holder }>();

  const sessionOf = (runId: string): DriverSession => {
    const send = (request: DriverAppendRequest, raise: boolean): AppendResult => {
      if (locks.get(runId)?.session === session) return append(request, { raise });
      throw new Fault('connection-lost', `The connection that drives run ${runId} was ended.`, { details: { run: runId } });
    };
    const session: DriverSession = {
      runId,
      append: async (request) => send(request, false),
      takeOver: async (request) => send(request, true),
      close: async () => {
        if (locks.get(runId)?.session === session) locks.delete(runId);
      },
    };
    return session;
  };

  return {
    open: (runId, { seize = false, instead }) => {
      const current = locks.get(runId);
      if (current && !seize && current.session !== instead) return { ok: false, code: 'driven', holder: current.holder };
      const session = sessionOf(runId);
      locks.set(runId, { session, holder: { user: 'memory', host: 'memory', pid: process.pid, since: formatInstant(clock()) } });
      return { ok: true, session };
    },
    holder: (runId) => locks.get(runId)?.holder ?? null,
  };
}
