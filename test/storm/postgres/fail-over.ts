import fs from 'node:fs';
import { newId } from '../../../src/kit/ids.ts';
import { encodeEvent, openAppender, type Appender, type EventLog } from '../../../src/log/index.ts';
import { openPostgresStore } from '../../../src/postgres/index.ts';
import { finishedRun, resumed, started } from '../../postgres/runs.ts';
import type { OwnServer } from '../../postgres/own-server.ts';
import { randomFrom } from '../../unit/random.ts';
import type { Figures } from '../area.ts';

/**
 * Restores an older copy of a server's data while a driver keeps working. The driver's next append must fail with `history-diverged`, and no position
 * may be assigned twice. Every second time the run was taken over after the copy, so the copy also has another epoch.
 */
export async function failOver(server: OwnServer, { seed, times }: { readonly seed: number; readonly times: number }): Promise<Figures> {
  const random = randomFrom(seed);
  const copy = `${server.data}.older`;
  let forgotten = 0;
  for (let time = 0; time < times; time++) {
    const store = await openPostgresStore(server.app);
    const runId = await finishedRun(store, 10);
    const before = await opened(store.log, runId, { raise: false });
    for (let batch = 0; batch < 5; batch++) await before.append([started(1_000 + batch)]);
    await before.close();
    const kept = await store.log.head(runId);

    await server.stop('fast');
    fs.cpSync(server.data, copy, { recursive: true });
    chownLike(server.data, copy);
    await server.start();
    const appender = await opened(store.log, runId, { raise: time % 2 === 1 });
    const lost = 1 + random.below(5);
    for (let batch = 0; batch < lost; batch++) await appender.append([started(2_000 + batch)]);

    await server.stop('immediate');
    fs.rmSync(server.data, { recursive: true });
    fs.renameSync(copy, server.data);
    await server.start();
    const refused = await appender.append([started(3_000)]).then(
      () => 'no code: it was accepted',
      (error: { readonly code?: string }) => error.code,
    );
    await appender.close();
    const head = await store.log.head(runId);
    await store.close();
    if (refused !== 'history-diverged') throw new Error(`seed ${seed}: an append after the fall-back ended with ${refused} (time ${time})`);
    if (head?.hash !== kept?.hash) throw new Error(`seed ${seed}: the append changed the older copy`);
    forgotten += lost;
  }
  return { 'fall-backs': times, 'appends that the copy lacked': forgotten };
}

async function opened(log: EventLog, runId: string, { raise }: { readonly raise: boolean }): Promise<Appender> {
  const driver = await log.openDriver(runId);
  const head = await log.head(runId);
  if (!driver.ok || !head) throw new Error(`run ${runId} is driven by another process`);
  const { session } = driver;
  let { epoch, position, hash: expectedHash } = head;
  if (raise) {
    const events = [encodeEvent(resumed(epoch + 1))];
    const taken = await session.takeOver({ logId: runId, epoch, appendId: newId(), expectedHash, writer: 'w', events });
    if (!taken.ok) throw new Error(taken.message);
    ({ epoch, last: position, hash: expectedHash } = taken);
  }
  return openAppender({ log, runId, session, epoch, position, expectedHash, writer: 'w' });
}

/** Gives a copy the owner of the original, because PostgreSQL requires that it owns its data. */
function chownLike(original: string, copy: string): void {
  const { uid, gid } = fs.statSync(original);
  fs.chmodSync(copy, 0o700);
  for (const file of ['', ...fs.readdirSync(copy, { recursive: true, encoding: 'utf8' })]) fs.lchownSync(`${copy}/${file}`, uid, gid);
}
