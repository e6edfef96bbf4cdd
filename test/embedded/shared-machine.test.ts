import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { embeddedSupervisor, openEmbeddedStore, stopEmbeddedStore, type EmbeddedStore } from '../../src/postgres/index.ts';
import { untilGone } from './processes.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const listed = 65_534;
const other = 12_345;
const folders: string[] = [];
const stores: EmbeddedStore[] = [];

function newFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-shared-'));
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
    await stopEmbeddedStore(folder, { force: true });
    expect(await untilGone(folder, 15_000)).toEqual([]);
    fs.rmSync(folder, { recursive: true });
  }
  delete process.env['DISTILOG_TRUST_STORE'];
});

describe.skipIf(process.platform === 'win32')('an embedded store on a machine that others use', { timeout: 90_000 }, () => {
  it('is closed to them whatever the umask, also where an earlier version left it open', async () => {
    const folder = newFolder();
    const umask = process.umask(0);
    try {
      await open(folder);
    } finally {
      process.umask(umask);
    }
    const home = path.join(folder, '.distilog');
    // PostgreSQL's socket asks for a password, and lies in a folder that is closed.
    const openTo = () =>
      ['', ...fs.readdirSync(home, { recursive: true, encoding: 'utf8' })].filter((name) => {
        const found = fs.lstatSync(path.join(home, name), { throwIfNoEntry: false });
        return found !== undefined && !found.isSymbolicLink() && (found.mode & 0o077) !== 0;
      });
    expect(openTo()).toEqual([]);
    fs.chmodSync(home, 0o775);
    fs.chmodSync(path.join(home, 'lock'), 0o666);
    await open(folder);
    expect(openTo()).toEqual([]);
  });

  it('gives no password over its control socket, and is stopped by no stray byte', async () => {
    const folder = newFolder();
    const store = await open(folder);
    const supervisor = await embeddedSupervisor(folder);
    const say = async (text: string): Promise<string> => {
      const socket = net.connect(path.join(folder, '.distilog', 'control')).setEncoding('utf8');
      let heard = '';
      socket.on('data', (chunk) => {
        heard += String(chunk);
        // As a stranger would: who has said nothing wrong stays connected.
        if (!text) socket.end();
      });
      socket.on('error', () => undefined);
      if (text) socket.write(text);
      await once(socket, 'close');
      return heard;
    };
    const heard = [
      await say(''),
      await say('\0'),
      await say('GET / HTTP/1.1\r\n\r\n'),
      await say('stop the server\n'),
      await say('stop\nnow'),
    ].join('');
    expect(heard).toContain('distilog_app');
    for (const { password } of [store.app(), store.owner()]) {
      expect(password).toHaveLength(32);
      expect(heard).not.toContain(password);
    }
    expect(await embeddedSupervisor(folder)).toBe(supervisor);
    const client = new pg.Client({ ...store.owner() });
    await client.connect();
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  it.skipIf(!isRoot)(`is not blocked by a lock file of another user${isRoot ? '' : ' (skipped: not root)'}`, async () => {
    const folder = newFolder();
    const home = path.join(folder, '.distilog');
    fs.mkdirSync(home);
    for (const made of [folder, home]) fs.chownSync(made, listed, listed);
    const lock = path.join(home, 'lock');
    const holder = spawn(process.execPath, [
      '--no-warnings',
      '-e',
      `const { DatabaseSync } = require('node:sqlite'); const lock = new DatabaseSync(${JSON.stringify(lock)});
       lock.exec('begin exclusive'); console.log('held'); setInterval(() => lock.isOpen, 1000);`,
    ]);
    try {
      await once(holder.stdout, 'data');
      fs.chmodSync(lock, 0o644);
      fs.chownSync(lock, other, other);
      const client = path.resolve(import.meta.dirname, 'places-client.ts');
      const args = ['--reuid', String(listed), '--clear-groups', process.execPath, '--no-warnings', client, folder];
      const env = { ...process.env, DISTILOG_TRUST_STORE: folder, DISTILOG_IDLE_MS: '500' };
      const { stdout, stderr } = spawnSync('setpriv', args, { encoding: 'utf8', env, timeout: 60_000 });
      expect([stdout, stderr]).toEqual([expect.stringContaining('distilog_owner'), '']);
      expect(fs.statSync(lock).uid).toBe(listed);
    } finally {
      holder.kill('SIGKILL');
      process.env['DISTILOG_TRUST_STORE'] = folder;
    }
  });
});
