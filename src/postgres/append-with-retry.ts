import type pg from 'pg';
import { hasCode } from '../kit/fault.ts';
import { pause } from '../kit/pause.ts';
import type { AppendRequest, AppendResult } from '../log/index.ts';
import { checkServer } from './check-server.ts';
import type { Connect } from './connect.ts';
import { openClient, whereabouts } from './connection.ts';
import { isConnectionLost, serverFault } from './server-faults.ts';
import { refuseMissingStandby } from './standby.ts';
import { callAppend } from './statements.ts';

/** Time that a store may be unreachable before an append fails. */
const patienceMs = 90_000;
const retryPauseMs = 200;

/**
 * Appends on a separate connection, without a driver session. A lost connection leaves the outcome unknown, so the request is sent again under its
 * `appendId` until the outcome is known. Throws `Fault`s.
 */
export async function appendWithRetry(connect: Connect, name: 'append' | 'create_run', request: AppendRequest): Promise<AppendResult> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    let client: pg.Client | undefined;
    try {
      client = await openClient(connect, 'distilog');
      await checkServer(client);
      await refuseMissingStandby(client, whereabouts(client));
      return await callAppend(client, name, request);
    } catch (error) {
      if (client && hasCode(error, '57014') && Date.now() < giveUpAt) continue;
      const fault = client ? serverFault(error, whereabouts(client)) : serverFault(error, {});
      if (!(isConnectionLost(error) || fault.code === 'store-unreachable') || Date.now() > giveUpAt) throw fault;
    } finally {
      await client?.end().catch(() => undefined);
    }
    await pause(retryPauseMs);
  }
}
