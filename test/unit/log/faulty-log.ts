// A log whose driver sessions break as they are told to: what it holds is another log's, and true.
import { Fault } from '../../../src/kit/fault.ts';
import type { AppendRequest, AppendResult, DriverSession, EventLog, OpenedDriver } from '../../../src/log/index.ts';

/** What happens to an append: `lost-before` and `lost-after` break the connection, before and after the events are stored. */
export type AppendFate = 'answered' | 'lost-before' | 'lost-after' | 'race-lost' | 'timed-out';
/** What happens to an attempt at the run's lock. */
export type OpenFate = 'opened' | 'unreachable' | 'still-locked';

export interface Fates {
  readonly append?: ((request: AppendRequest) => AppendFate) | undefined;
  readonly open?: (() => OpenFate) | undefined;
}

export interface FaultyLog extends EventLog {
  /** Every request that arrived at the server, in order, whether or not its answer did. */
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
        // Answers take a turn of the event loop: what was stored may be long known to others by then.
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
