import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { openEmbeddedStore, stopEmbeddedStore, trustEmbeddedStore, type EmbeddedStore } from '../../src/postgres/index.ts';
import { readListedUsers } from '../../src/postgres/embedded/binaries.ts';
import { processesOf, untilGone } from './processes.ts';

process.env['DISTILOG_IDLE_MS'] = '1000';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const why = isRoot ? '' : ' (skipped: not root on Linux)';
const listed = 65_534;
const unlisted = 54_321;

describe.skipIf(!isRoot)(`root in a folder of another user${why}`, () => {
  const folders: string[] = [];
  const stores: EmbeddedStore[] = [];

  function folderOf(uid: number, parent = os.tmpdir()): { readonly folder: string; readonly home: string } {
    const folder = fs.mkdtempSync(path.join(parent, 'distilog-foreign-'));
    fs.chmodSync(folder, 0o755);
    const home = path.join(folder, '.distilog');
    fs.mkdirSync(home);
    for (const made of [home, folder]) fs.chownSync(made, uid, uid);
    folders.push(folder);
    return { folder, home };
  }

  /** Creates a file that only root may read and write. */
  function precious(name: string, text = 'precious'): string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-precious-'));
    folders.push(folder);
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  }

  function plant(target: string, link: string, uid: number): void {
    fs.symlinkSync(target, link);
    fs.lchownSync(link, uid, uid);
  }

  async function open(folder: string): Promise<EmbeddedStore> {
    const store = await openEmbeddedStore(folder, { timeoutMs: 20_000 });
    stores.push(store);
    return store;
  }

  async function answers(store: EmbeddedStore): Promise<boolean> {
    const client = new pg.Client({ ...store.app() });
    await client.connect();
    const { rowCount } = await client.query('select');
    await client.end();
    return rowCount === 1;
  }

  /** Returns the user ids of the store's processes with a role: real, effective, saved and file system. */
  const usersOf = (folder: string, role: 'supervisor' | 'postmaster'): readonly number[] =>
    processesOf(folder)
      .filter((process) => process.role === role)
      .flatMap(
        ({ pid }) =>
          /^Uid:\t(.*)$/m
            .exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
            ?.split('\t')
            .map(Number) ?? [],
      );

  const refused = (message: RegExp) => ({ code: 'embedded-failed', message: expect.stringMatching(message) });

  afterEach(async () => {
    for (const store of stores.splice(0)) store.close();
    for (const folder of folders.splice(0)) {
      await stopEmbeddedStore(folder);
      expect(await untilGone(folder, 15_000)).toEqual([]);
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('works as the owner of the folder, and leaves nothing there that is not theirs', async () => {
    const { folder, home } = folderOf(listed);
    expect(await answers(await open(folder))).toBe(true);
    for (const role of ['supervisor', 'postmaster'] as const) {
      expect([role, usersOf(folder, role)]).toEqual([role, [listed, listed, listed, listed]]);
    }
    const users = fs.readdirSync(home, { recursive: true, encoding: 'utf8' }).map((file) => fs.lstatSync(path.join(home, file)).uid);
    expect(new Set(users)).toEqual(new Set([listed]));
  });

  it('works as root if the owner is not in the password file or cannot reach their folder', async () => {
    expect(readListedUsers().map(({ uid }) => uid)).not.toContain(unlisted);
    for (const { folder } of [folderOf(unlisted), folderOf(listed, '/root')]) {
      expect(await answers(await open(folder))).toBe(true);
      expect(usersOf(folder, 'supervisor')).toEqual([0, 0, 0, 0]);
      expect(usersOf(folder, 'postmaster')).not.toContain(0);
    }
  });

  it('restores the owner of a store whose files were given to root', async () => {
    const { folder, home } = folderOf(listed);
    const before = await open(folder);
    const { password } = before.owner();
    before.close();
    await stopEmbeddedStore(folder);
    for (const file of fs.readdirSync(home, { recursive: true, encoding: 'utf8' })) fs.lchownSync(path.join(home, file), 0, 0);
    const store = await open(folder);
    expect(await answers(store)).toBe(true);
    expect(store.owner().password).toBe(password);
  });

  it.each([
    ['a user that the password file lists', listed],
    ['a user that the password file does not list', unlisted],
  ])('follows no link that was planted by %s', async (_who, uid) => {
    const long = precious('long', 'x'.repeat(2_000_000));
    const secret = precious('secret');
    const settings = precious('postgresql.conf');
    const database = path.dirname(settings);
    fs.writeFileSync(path.join(database, 'PG_VERSION'), '18\n');
    fs.chmodSync(database, 0o755);

    const log = folderOf(uid);
    plant(long, path.join(log.home, 'postgres.log'), uid);
    trustEmbeddedStore(log.folder);
    await expect(open(log.folder)).rejects.toMatchObject(refused(/postgres\.log/));
    expect(fs.statSync(long).size).toBe(2_000_000);

    const password = folderOf(uid);
    plant(secret, path.join(password.home, 'owner-password'), uid);
    trustEmbeddedStore(password.folder);
    const opened = await open(password.folder).catch((error: unknown) => error);
    expect(JSON.stringify(opened instanceof Error ? opened.message : (opened as EmbeddedStore).owner())).not.toContain('precious');

    const lock = folderOf(uid);
    const absent = path.join(path.dirname(secret), 'made');
    plant(absent, path.join(lock.home, 'lock'), uid);
    trustEmbeddedStore(lock.folder);
    await expect(open(lock.folder)).rejects.toMatchObject(refused(/did not start/));
    expect(fs.existsSync(absent)).toBe(false);

    const data = folderOf(uid);
    plant(database, path.join(data.home, 'pg18'), uid);
    trustEmbeddedStore(data.folder);
    await expect(open(data.folder)).rejects.toMatchObject(refused(/pg18/));
    expect(fs.readFileSync(settings, 'utf8')).toBe('precious');
    expect([fs.statSync(database).mode & 0o777, fs.statSync(settings).uid]).toEqual([0o755, 0]);
  });

  it('follows no link that was planted in place of the store or of the supervisor log', async () => {
    const elsewhere = path.dirname(precious('kept'));
    const whole = folderOf(listed);
    fs.rmdirSync(whole.home);
    plant(elsewhere, whole.home, listed);
    await expect(open(whole.folder)).rejects.toMatchObject(refused(/\.distilog is a link that user 65534 made/));
    expect(fs.readdirSync(elsewhere)).toEqual(['kept']);

    const { folder, home } = folderOf(listed);
    const absent = path.join(elsewhere, 'made');
    plant(absent, path.join(home, 'supervisor.log'), listed);
    trustEmbeddedStore(folder);
    await expect(open(folder)).rejects.toMatchObject(refused(/supervisor\.log cannot be written/));
    expect(fs.existsSync(absent)).toBe(false);
  });

  it('ends no process that a planted marker names', async () => {
    const { folder, home } = folderOf(listed);
    const store = await open(folder);
    const marker = path.join(home, 'server.json');
    fs.writeFileSync(marker, JSON.stringify({ ...(JSON.parse(fs.readFileSync(marker, 'utf8')) as object), pid: process.pid }));
    store.close();
    expect(await stopEmbeddedStore(folder)).toBe(true);
    expect(processesOf(folder)).toEqual([]);
  });
});
