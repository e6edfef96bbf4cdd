import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stateDirectory } from '../../src/kit/state-directory.ts';
import { embeddedStatus, embeddedTrust, openEmbeddedStore, stopEmbeddedStore, trustEmbeddedStore } from '../../src/postgres/index.ts';
import { untilGone } from './processes.ts';

const isRoot = process.getuid?.() === 0;
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-trust-'));
fs.chmodSync(base, 0o755);
const canary = path.join(base, 'canary');
/** A store that was made at its place. */
const original = path.join(base, 'original');
let folders = 0;

const foreign = (reason: RegExp = /this user did not create it here/) => ({
  code: 'store-not-trusted',
  message: expect.stringMatching(reason) as string,
});

/** Opens a folder's store, asks something as its owner, and stops it. Returns the answer and what was reported. */
async function used(folder: string, sql = 'select 1'): Promise<{ readonly answer: unknown; readonly said: readonly string[] }> {
  const said: string[] = [];
  const store = await openEmbeddedStore(folder, { timeoutMs: 30_000, notify: (sentence) => said.push(sentence) });
  try {
    const client = new pg.Client({ ...store.owner() });
    await client.connect();
    try {
      const { rows } = await client.query({ text: sql, rowMode: 'array' });
      return { answer: rows, said };
    } finally {
      await client.end();
    }
  } finally {
    store.close();
    await stopEmbeddedStore(folder, { force: true });
  }
}

/** A program that prints whether the folder in its argument is trusted. */
const trustInChild = `import { embeddedTrust } from ${JSON.stringify(pathToFileURL(path.resolve('src/postgres/index.ts')).href)};
process.stdout.write(embeddedTrust(process.argv[1]));`;

const newFolder = (): string => {
  const folder = path.join(base, `folder-${++folders}`);
  fs.mkdirSync(folder);
  return folder;
};

/** A folder with a copy of the store, as a clone or an archive brings it along. Owners and modes are kept, as `tar` does. */
function planted(plant: (data: string) => void = () => undefined): string {
  const folder = newFolder();
  const { status } = spawnSync('cp', ['-a', path.join(original, '.distilog'), folder]);
  expect(status).toBe(0);
  plant(path.join(folder, '.distilog/pg18'));
  return folder;
}

beforeAll(async () => {
  fs.mkdirSync(original);
  await used(original);
});

afterEach(() => {
  delete process.env['DISTILOG_TRUST_STORE'];
  expect(fs.existsSync(canary)).toBe(false);
});

afterAll(async () => {
  for (const name of fs.readdirSync(base).filter((one) => one.startsWith('folder')))
    expect(await untilGone(path.join(base, name), 15_000)).toEqual([]);
  fs.rmSync(base, { recursive: true, force: true });
});

/** What a data directory may hold to have PostgreSQL run a program, load a library, read another file, or let anybody in. */
const configured: readonly (readonly [string, string, string])[] = [
  [
    'an archive command',
    'postgresql.auto.conf',
    `archive_mode = on\nwal_level = replica\narchive_command = 'touch ${canary}'\narchive_timeout = 1s\n`,
  ],
  ['a passphrase command', 'postgresql.auto.conf', `ssl = on\nssl_passphrase_command = 'touch ${canary}'\n`],
  ['a preloaded library', 'postgresql.auto.conf', `shared_preload_libraries = '${canary}.so'\n`],
  ['a library of each session', 'postgresql.auto.conf', `session_preload_libraries = '${canary}.so'\n`],
  ['an included file', 'postgresql.conf', `include '${canary}.conf'\n`],
  ['an included folder', 'postgresql.auto.conf', `include_dir '${canary}.d'\n`],
  ['no passwords', 'pg_hba.conf', 'local all all trust\nhost all all all trust\n'],
  ['an included list of logins', 'pg_hba.conf', `include ${canary}.hba\n`],
];

describe('a store that another user made, or that came with a clone or an archive', { timeout: 60_000 }, () => {
  it('is refused, and once it is trusted, no file of its configuration is obeyed', async () => {
    const folder = planted((data) => {
      for (const [, file, text] of configured) fs.appendFileSync(path.join(data, file), text);
    });
    await expect(openEmbeddedStore(folder)).rejects.toMatchObject(foreign());
    expect(fs.existsSync(path.join(folder, '.distilog/pg18/postmaster.pid'))).toBe(false);
    trustEmbeddedStore(folder);
    const { answer } = await used(
      folder,
      `select current_setting('archive_mode'), current_setting('archive_command'), current_setting('ssl_passphrase_command'),
              current_setting('shared_preload_libraries'), current_setting('session_preload_libraries'),
              (select count(*)::int from pg_hba_file_rules where auth_method <> 'scram-sha-256' or error is not null),
              (select count(*)::int from pg_file_settings)`,
    );
    expect(answer).toEqual([['off', '(disabled)', '', '', '', 0, 0]]);
  });

  it('is refused with files that start a recovery and with links that lead out of it, trusted or not', async () => {
    const folder = planted((data) => fs.appendFileSync(path.join(data, 'postgresql.auto.conf'), `restore_command = 'touch ${canary}'\n`));
    const data = path.join(folder, '.distilog/pg18');
    const signals = ['recovery.signal', 'standby.signal', 'backup_label', 'tablespace_map'].map((name) => {
      const file = path.join(data, name);
      return [name, () => fs.writeFileSync(file, ''), () => fs.rmSync(file)] as const;
    });
    const links = ['pg_wal', 'base'].map((name) => {
      const [before, elsewhere] = [path.join(data, name), path.join(base, `elsewhere-${name}`)];
      const plant = () => {
        fs.renameSync(before, elsewhere);
        fs.symlinkSync(elsewhere, before);
      };
      const undo = () => {
        fs.rmSync(before);
        fs.renameSync(elsewhere, before);
      };
      return [name, plant, undo] as const;
    });
    const tablespace = path.join(data, 'pg_tblspc/16400');
    const all = [...signals, ...links, ['pg_tblspc/16400', () => fs.symlinkSync(base, tablespace), () => fs.rmSync(tablespace)] as const];
    trustEmbeddedStore(folder);
    for (const [name, plant, undo] of all) {
      plant();
      await expect(openEmbeddedStore(folder)).rejects.toMatchObject({
        code: 'embedded-failed',
        message: expect.stringContaining(`holds ${name}, which distilog did not put there`) as string,
      });
      undo();
    }
    expect((await used(folder)).answer).toEqual([[1]]);
  });

  it.skipIf(process.platform === 'win32')('is refused without waiting for a pipe that it holds in the place of a file', () => {
    for (const name of ['store-id', 'pg18/postgresql.conf']) {
      const folder = planted();
      const file = path.join(folder, '.distilog', name);
      if (name !== 'store-id') fs.rmSync(path.join(folder, '.distilog/store-id'));
      fs.rmSync(file, { force: true });
      expect(spawnSync('mkfifo', ['-m', '600', file]).status).toBe(0);
      // In a process of its own, which a wait would block for good.
      const found = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '--eval', trustInChild, folder], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect(found).toMatchObject({ signal: null, status: 0, stdout: 'foreign', stderr: '' });
    }
  });

  it('fires no event trigger that is stored in its database', async () => {
    await used(
      original,
      `create function fired() returns event_trigger language plpgsql as $$ begin execute 'copy (select 1) to program ''touch ${canary}'''; end $$;
       create event trigger at_login on login execute function fired(); alter event trigger at_login enable always;`.replaceAll('\n', ' '),
    ).catch(() => undefined);
    const folder = planted();
    trustEmbeddedStore(folder);
    expect((await used(folder, 'select evtname::text from pg_event_trigger')).answer).toEqual([['at_login']]);
    await used(original, 'drop event trigger at_login');
  });

  it('is neither asked nor stopped through a socket that it names', async () => {
    const folder = planted();
    const home = path.join(folder, '.distilog');
    const heard: string[] = [];
    const server = net.createServer((socket) => {
      heard.push('connected');
      socket.on('error', () => undefined).on('data', (text) => heard.push(String(text)));
      socket.write(`${JSON.stringify({ error: 'planted' })}\n`);
    });
    const socket = path.join(base, 'planted.sock');
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const { dev, ino } = fs.statSync(home);
    const marker = { pid: process.pid, place: [], identity: `${dev}:${ino}`, control: socket, run: '' };
    fs.writeFileSync(path.join(home, 'server.json'), JSON.stringify(marker));
    await expect(embeddedStatus(folder)).rejects.toMatchObject(foreign());
    await expect(stopEmbeddedStore(folder)).rejects.toMatchObject(foreign());
    await expect(openEmbeddedStore(folder)).rejects.toMatchObject(foreign());
    await new Promise((resolve) => server.close(resolve));
    expect(heard).toEqual([]);
  });
});

describe('a store that this user made', { timeout: 60_000 }, () => {
  it('is used without a question, again and again, also where an earlier one was deleted', async () => {
    const folder = newFolder();
    expect(embeddedTrust(folder)).toBe('absent');
    for (let times = 0; times < 2; times++) expect(await used(folder)).toEqual({ answer: [[1]], said: [] });
    expect(embeddedTrust(folder)).toBe('trusted');
    fs.rmSync(path.join(folder, '.distilog'), { recursive: true });
    expect(embeddedTrust(folder)).toBe('absent');
    expect(await used(folder)).toEqual({ answer: [[1]], said: [] });
  });

  it('asks again when it is copied, moved, or put in the place of another', async () => {
    const copy = planted();
    expect(embeddedTrust(copy)).toBe('foreign');
    const made = newFolder();
    await used(made);
    const moved = `${made}-moved`;
    fs.renameSync(made, moved);
    await expect(openEmbeddedStore(moved)).rejects.toMatchObject(foreign(/it was moved, copied or unpacked/));
    fs.renameSync(moved, made);
    expect(embeddedTrust(made)).toBe('trusted');
    // Another store, with the id of the one that was there.
    const before = path.join(made, '.distilog');
    fs.renameSync(before, `${before}-before`);
    fs.cpSync(`${before}-before`, before, { recursive: true, preserveTimestamps: true });
    await expect(openEmbeddedStore(made)).rejects.toMatchObject(foreign());
  });

  it('is not made where nothing could be recorded, and leaves nothing there', async () => {
    const folder = newFolder();
    const state = process.env['XDG_STATE_HOME'];
    const file = path.join(base, 'no-folder');
    fs.writeFileSync(file, '');
    process.env['XDG_STATE_HOME'] = file;
    try {
      await expect(openEmbeddedStore(folder)).rejects.toMatchObject({
        code: 'state-unusable',
        message: expect.stringMatching(/Set XDG_STATE_HOME.*DISTILOG_TRUST_STORE=/) as string,
      });
      expect(fs.readdirSync(folder)).toEqual([]);
      process.env['DISTILOG_TRUST_STORE'] = folder;
      expect((await used(folder)).answer).toEqual([[1]]);
    } finally {
      process.env['XDG_STATE_HOME'] = state;
    }
  });

  it('does not let its settings be stored in a file', async () => {
    await expect(used(original, 'alter system set work_mem = 65536')).rejects.toThrow('ALTER SYSTEM is not allowed');
  });
});

describe('trust', { timeout: 60_000 }, () => {
  it('is given to a folder, or to the store in it, and holds for that place only', async () => {
    for (const named of [(folder: string) => folder, (folder: string) => path.join(folder, '.distilog')]) {
      const folder = planted();
      expect(trustEmbeddedStore(named(folder))).toBe(path.join(folder, '.distilog'));
      expect(await used(folder)).toEqual({ answer: [[1]], said: [] });
      const moved = `${folder}-moved`;
      fs.renameSync(folder, moved);
      expect(embeddedTrust(moved)).toBe('foreign');
    }
  });

  it('is given by DISTILOG_TRUST_STORE to one folder, and not recorded', async () => {
    const folder = planted();
    process.env['DISTILOG_TRUST_STORE'] = planted();
    expect(embeddedTrust(folder)).toBe('foreign');
    // It would name another folder wherever a command is given.
    for (const relative of [path.relative(process.cwd(), folder), `./${path.relative(process.cwd(), folder)}`]) {
      process.env['DISTILOG_TRUST_STORE'] = relative;
      expect(embeddedTrust(folder)).toBe('foreign');
    }
    process.env['DISTILOG_TRUST_STORE'] = `${folder}/../${path.basename(folder)}/`;
    expect(embeddedTrust(folder)).toBe('trusted');
    process.env['DISTILOG_TRUST_STORE'] = folder;
    expect((await used(folder)).answer).toEqual([[1]]);
    delete process.env['DISTILOG_TRUST_STORE'];
    expect(embeddedTrust(folder)).toBe('foreign');
  });

  it('cannot be given where there is no store', () => {
    expect(() => trustEmbeddedStore(newFolder())).toThrow(expect.objectContaining({ code: 'no-such-store' }));
  });

  it('does not follow from a marker that another user may have written, or that is damaged', () => {
    const folder = planted();
    trustEmbeddedStore(folder);
    const stores = path.join(stateDirectory(), 'stores');
    const marker = fs.globSync(`${stores}/*.json`).find((file) => fs.readFileSync(file, 'utf8').includes(`${folder}/`)) ?? '';
    fs.writeFileSync(marker, '{ "id"');
    expect(embeddedTrust(folder)).toBe('foreign');
  });
});

describe.skipIf(process.platform === 'win32')('a store of 0.1.0', { timeout: 60_000 }, () => {
  const settings = fs.readFileSync(path.join(import.meta.dirname, 'postgresql-0.1.0.conf'));
  const logins = ['all', 'replication'].flatMap((database) =>
    ['local   DB   all   scram-sha-256', 'host DB all 127.0.0.1/32 scram-sha-256', 'host DB all ::1/128 scram-sha-256'].map((line) =>
      line.replace('DB', database),
    ),
  );

  /** A folder with a store as 0.1.0 left it: made there, without an id, with initdb's files of logins. */
  async function left(): Promise<string> {
    const folder = newFolder();
    await used(folder);
    const home = path.join(folder, '.distilog');
    fs.rmSync(path.join(home, 'store-id'));
    fs.chmodSync(home, 0o755);
    fs.chmodSync(path.join(home, 'lock'), 0o644);
    const write = (name: string, text: string | Buffer) => fs.writeFileSync(path.join(home, 'pg18', name), text);
    write('postgresql.conf', settings);
    write('postgresql.auto.conf', '# Do not edit this file manually!\n');
    write('pg_hba.conf', `# Logins\n${logins.join('\n')}\n`);
    write('pg_ident.conf', '# Maps\n');
    return folder;
  }

  it('is accepted with one line if this user made it here and its configuration is untouched', async () => {
    const folder = await left();
    expect(embeddedTrust(folder)).toBe('earlier');
    expect(await used(folder)).toEqual({ answer: [[1]], said: [expect.stringMatching(/made by distilog 0\.1\.0 .* accepted/)] });
    expect(await used(folder)).toEqual({ answer: [[1]], said: [] });
    const modes = ['', 'lock', 'pg18'].map((name) => fs.statSync(path.join(folder, '.distilog', name)).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600, 0o700]);
  });

  it('is refused if its configuration was changed, it was made elsewhere, or another user may have changed it', async () => {
    const folder = await left();
    const home = path.join(folder, '.distilog');
    const inData = (name: string) => path.join(home, 'pg18', name);
    const changes: readonly (readonly [RegExp, () => void, () => void])[] = [
      ...['postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'pg_ident.conf'].map((name) => {
        const text = fs.readFileSync(inData(name));
        return [
          /configuration of its PostgreSQL was changed/,
          () => fs.appendFileSync(inData(name), 'local all all trust\n'),
          () => fs.writeFileSync(inData(name), text),
        ] as const;
      }),
      [/pg18\/recovery\.signal/, () => fs.writeFileSync(inData('recovery.signal'), ''), () => fs.rmSync(inData('recovery.signal'))],
      [/may write to lock/, () => fs.chmodSync(path.join(home, 'lock'), 0o664), () => fs.chmodSync(path.join(home, 'lock'), 0o644)],
      [
        /may read owner-password/,
        () => fs.chmodSync(path.join(home, 'owner-password'), 0o644),
        () => fs.chmodSync(path.join(home, 'owner-password'), 0o600),
      ],
      [/may write to \.distilog/, () => fs.chmodSync(home, 0o777), () => fs.chmodSync(home, 0o755)],
      ...(isRoot
        ? [
            [
              /belongs to user 12345/,
              () => fs.chownSync(inData('base'), 12_345, 12_345),
              () => fs.chownSync(inData('base'), 65_534, 65_534),
            ] as const,
          ]
        : []),
    ];
    expect(embeddedTrust(folder)).toBe('earlier');
    for (const [reason, change, undo] of changes) {
      change();
      await expect(openEmbeddedStore(folder)).rejects.toMatchObject(foreign(reason));
      undo();
      expect(embeddedTrust(folder)).toBe('earlier');
    }
    // A copy that is made within the second of the cluster's creation cannot be distinguished from it.
    await expect.poll(() => Date.now() - fs.statSync(inData('PG_VERSION')).birthtimeMs, { timeout: 10_000 }).toBeGreaterThan(2_000);
    const copy = newFolder();
    spawnSync('cp', ['-a', home, copy]);
    await expect(openEmbeddedStore(copy)).rejects.toMatchObject(foreign(/it was copied or unpacked/));
  });
});
