import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedStore, stopEmbeddedStore } from '../../src/postgres/index.ts';
import { findBinaries, runAsFor } from '../../src/postgres/embedded/binaries.ts';
import { Postmaster } from '../../src/postgres/embedded/postmaster.ts';
import { createPrograms } from '../../src/postgres/embedded/programs.ts';
import { processesOf, signal, untilGone } from './processes.ts';

/** Starts a postmaster and records what it reports. `onReady` fails with `errors` first. */
async function watched(folder: string, errors: unknown[]) {
  const home = path.join(fs.realpathSync(folder), '.distilog');
  const as = runAsFor(folder);
  const { postgres, libraries } = findBinaries(home, as);
  const reported: string[] = [];
  const postmaster = new Postmaster({
    postgres,
    data: path.join(home, 'pg18'),
    log: path.join(home, 'postgres.log'),
    run: '',
    programs: createPrograms(as, libraries),
    onReady: async () => {
      if (errors.length > 0) throw errors.shift();
      reported.push('ready');
    },
    onGone: () => reported.push('gone'),
    onMoved: () => reported.push('moved'),
    onFailed: (error) => reported.push(error),
  });
  await postmaster.start();
  return { postmaster, reported };
}

describe.runIf(process.platform === 'linux')('a postmaster', { timeout: 60_000 }, () => {
  let folder: string;

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-postmaster-'));
    const store = await openEmbeddedStore(folder);
    store.close();
    await stopEmbeddedStore(folder);
    await untilGone(folder, 15_000);
  });

  afterAll(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('is used as soon as it accepts connections, even if the first ones break', async () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const recovering = Object.assign(new Error('the database system is in recovery mode'), { code: '57P03' });
    const { postmaster, reported } = await watched(folder, [reset, recovering]);
    await postmaster.stop(false);
    // Reported when the exit event arrives, which may be just after the exit was seen.
    await expect.poll(() => reported).toEqual(['ready', 'gone']);
    expect(await untilGone(folder, 5_000)).toEqual([]);
  });

  it('starts even if the one before it was killed between creating and writing its lock file', async () => {
    fs.writeFileSync(path.join(fs.realpathSync(folder), '.distilog/pg18/postmaster.pid'), '');
    const { postmaster, reported } = await watched(folder, []);
    expect(reported).toEqual(['ready']);
    await postmaster.stop(false);
    expect(await untilGone(folder, 5_000)).toEqual([]);
  });

  it('is abandoned at once when it refuses the login', async () => {
    const refused = Object.assign(new Error('password authentication failed'), { code: '28P01' });
    const { postmaster, reported } = await watched(folder, [refused, refused]);
    expect(reported).toEqual(['PostgreSQL started and could not be used: password authentication failed']);
    await postmaster.stop(true);
    expect(await untilGone(folder, 10_000)).toEqual([]);
  });

  it('is started again whenever it is killed, with a watchdog of its own each time', async () => {
    const { postmaster, reported } = await watched(folder, []);
    for (let kills = 1; kills <= 3; kills++) {
      for (const { pid, role } of processesOf(folder)) if (role === 'postmaster') signal(pid);
      await expect.poll(() => reported.filter((what) => what === 'ready').length, { timeout: 15_000 }).toBe(kills + 1);
    }
    expect(reported).toEqual(['ready', 'gone', 'ready', 'gone', 'ready', 'gone', 'ready']);
    expect(processesOf(folder).filter(({ role }) => role === 'watchdog')).toHaveLength(1);
    await postmaster.stop(false);
    expect(await untilGone(folder, 5_000)).toEqual([]);
  });
});
