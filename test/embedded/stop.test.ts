import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { embeddedSupervisor, openEmbeddedStore, stopEmbeddedStore, type EmbeddedStore } from '../../src/postgres/index.ts';
import { embeddedStatus } from '../../src/postgres/embedded/index.ts';
import { processesOf, untilGone } from './processes.ts';

const isLinux = process.platform === 'linux';
const folders: string[] = [];
const stores: EmbeddedStore[] = [];

function newFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-stop-'));
  fs.chmodSync(folder, 0o755);
  folders.push(folder);
  return folder;
}

async function open(folder: string): Promise<EmbeddedStore> {
  const store = await openEmbeddedStore(folder);
  stores.push(store);
  return store;
}

afterEach(async () => {
  for (const store of stores.splice(0)) store.close();
  for (const folder of folders.splice(0)) {
    await stopEmbeddedStore(folder);
    if (isLinux) expect(await untilGone(folder, 15_000)).toEqual([]);
    fs.rmSync(folder, { recursive: true });
  }
});

describe('stopping an embedded store', () => {
  it('is refused while a client holds it, and the client keeps working', async () => {
    const folder = newFolder();
    const store = await open(folder);
    const before = await embeddedSupervisor(folder);
    await expect(stopEmbeddedStore(folder)).rejects.toMatchObject({ code: 'embedded-in-use', details: { clients: 1 } });
    const client = new pg.Client({ ...store.app() });
    await client.connect();
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    expect(await embeddedSupervisor(folder)).toBe(before);
  });

  it('waits for processes that are about to leave', async () => {
    const folder = newFolder();
    const store = await open(folder);
    setTimeout(() => store.close(), 500);
    expect(await stopEmbeddedStore(folder)).toBe(true);
  });

  it.runIf(isLinux)('has ended every process by the time it returns', async () => {
    const folder = newFolder();
    const store = await open(folder);
    store.close();
    expect(await stopEmbeddedStore(folder)).toBe(true);
    expect(processesOf(folder)).toEqual([]);
    expect(await stopEmbeddedStore(folder)).toBe(false);
  });

  it('can be forced; a process that holds it starts another server', async () => {
    const folder = newFolder();
    await open(folder);
    const before = await embeddedSupervisor(folder);
    expect(await stopEmbeddedStore(folder, { force: true })).toBe(true);
    await expect.poll(() => embeddedSupervisor(folder), { timeout: 15_000 }).not.toBeNull();
    expect(await embeddedSupervisor(folder)).not.toBe(before);
  });
});

describe('the status of an embedded store', () => {
  it('reports its supervisor and the number of its clients, and starts nothing', async () => {
    const folder = newFolder();
    expect(await embeddedStatus(folder)).toBeNull();
    expect(fs.readdirSync(folder)).toEqual([]);
    const [first] = [await open(folder), await open(folder)];
    expect(await embeddedStatus(folder)).toEqual({ supervisor: expect.any(Number), clients: 2 });
    first.close();
    await expect.poll(async () => (await embeddedStatus(folder))?.clients).toBe(1);
  });
});

describe('an embedded store', () => {
  it('says in a readable message that its folder is missing or cannot be written', async () => {
    const failed = (text: string) => ({ code: 'embedded-failed', message: expect.stringContaining(text) });
    await expect(openEmbeddedStore('/nowhere/at/all')).rejects.toMatchObject(failed('/nowhere/at/all cannot be opened'));
    await expect(stopEmbeddedStore('/nowhere/at/all')).rejects.toMatchObject(failed('/nowhere/at/all cannot be opened'));
    // A file in the folder's place: refused to root, too.
    const folder = newFolder();
    fs.writeFileSync(path.join(folder, '.distilog'), '');
    await expect(openEmbeddedStore(folder)).rejects.toMatchObject(failed('cannot be written'));
  });

  it('writes no password to its log, whatever its server is configured to log', async () => {
    const folder = newFolder();
    const before = await open(folder);
    const client = new pg.Client({ ...before.owner() });
    await client.connect();
    await client.query(`alter role distilog_owner set log_statement = 'all'`);
    await client.query(`alter role distilog_owner set log_min_duration_statement = 0`);
    await client.end();
    before.close();
    await stopEmbeddedStore(folder);
    const store = await open(folder);
    const log = ['postgres.log', 'supervisor.log'].map((file) => fs.readFileSync(path.join(store.home, file), 'utf8')).join('');
    expect(log).toContain('select exists');
    for (const { password } of [store.app(), store.owner()]) expect(log).not.toContain(password);
  });
});
