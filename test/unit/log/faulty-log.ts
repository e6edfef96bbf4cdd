// A log whose driver sessions fail as a test asks. Its contents are those of a real log.
import { Fault } from '../../../src/kit/fault.ts';
import type { AppendRequest, AppendResult, DriverSession, EventLog, OpenedDriver } from '../../../src/log/index.ts';

/** The fate of an append: `lost-before` and `lost-after` break the connection, before and after the events are stored. */
export type AppendFate = 'answered' | 'lost-before' | 'lost-after' | 'race-lost' | 'timed-out';
/** The fate of an attempt to take the run's lock. */
export type OpenFate = 'opened' | 'unreachable' | 'still-locked';

export interface Fates {
  readonly append?: ((request: AppendRequest) => AppendFate) | undefined;
  readonly open?: (() => OpenFate) | undefined;
}

export interface FaultyLog extends EventLog {
  /** All requests that reached the server, in order, whether their answers arrived or not. */
  readonly arrived: readonly AppendRequest[];
}

export function faultyLog(log: EventLog, { append = () => 'answered', open = () => 'opened' }: Fates): FaultyLog {
  const arrived: AppendRequest[] = [];

  const breaking = (session: DriverSession): DriverSession => {
    let isBroken = false;
    const lost = () => {
      isBroken = true;
      return new Fault('connection-lost', 'the connection broke');
    };
    return {
      ...session,
      append: async (request): Promise<AppendResult> => {
        if (isBroken) throw lost();
        const fate = append(request);
        if (fate === 'lost-before') throw lost();
        if (fate === 'race-lost') throw Object.assign(new Error('could not serialize access'), { code: '40001' });
        arrived.push(request);
        // An answer takes a turn of the event loop, so others may see stored events before it arrives.
        const result = await session.append(request);
        await Promise.resolve();
        if (fate === 'lost-after') throw lost();
        if (fate === 'timed-out') throw Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
        return result;
      },
    };
  };

  return {
    ...log,
    arrived,
    openDriver: async (runId, options): Promise<OpenedDriver> => {
      const fate = open();
      if (fate === 'unreachable') throw new Fault('store-unreachable', 'the server is away');
      if (fate === 'still-locked') {
        return { ok: false, code: 'driven', holder: { user: 'ada', host: 'engine', pid: 1, since: '2026-01-01T00:00:00.000000Z' } };
      }
      const opened = await log.openDriver(runId, options);
      return opened.ok ? { ok: true, session: breaking(opened.session) } : opened;
    },
  };
}
