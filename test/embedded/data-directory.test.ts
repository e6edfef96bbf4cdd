import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDataDirectory, type DataDirectory } from '../../src/postgres/embedded/data-directory.ts';
import { createPrograms } from '../../src/postgres/embedded/programs.ts';

const isRoot = process.getuid?.() === 0;
const unprivileged = { uid: 65_534, gid: 65_534 };

describe.skipIf(process.platform === 'win32')('a data directory', () => {
  let home: string;

  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-data-'));
    fs.chmodSync(home, 0o755);
  });

  afterEach(() => {
    fs.rmSync(home, { recursive: true });
  });

  /** Returns a data directory whose initdb is a shell script. */
  function directoryWith(script: string): DataDirectory {
    const initdb = path.join(home, 'initdb');
    const password = path.join(home, 'password');
    fs.writeFileSync(initdb, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    fs.writeFileSync(password, 'secret');
    const as = isRoot ? unprivileged : {};
    const own = (file: string) => {
      if (isRoot) fs.lchownSync(file, unprivileged.uid, unprivileged.gid);
    };
    return { home, data: path.join(home, 'pg18'), log: path.join(home, 'log'), password, initdb, programs: createPrograms(as, ''), own };
  }

  it('does not exist when initdb fails, and the error is reported', async () => {
    const directory = directoryWith('echo half > PG_VERSION; echo no space left >&2; exit 1');
    await expect(makeDataDirectory(directory)).rejects.toThrow('initdb failed (1): no space left');
    expect(fs.existsSync(directory.data)).toBe(false);
  });

  it('does not exist when no user of the system may create it', async () => {
    const directory = directoryWith('echo could not look up effective user ID 65534: user does not exist >&2; exit 1');
    await expect(makeDataDirectory(directory)).rejects.toThrow('needs a user that /etc/passwd lists');
    expect(fs.existsSync(directory.data)).toBe(false);
  });

  it('is created without the remains of a killed initdb, and nothing else is left behind', async () => {
    fs.mkdirSync(path.join(home, 'pg18.new-killed'));
    const directory = directoryWith('echo 18 > PG_VERSION');
    await makeDataDirectory(directory);
    expect(fs.readdirSync(home).filter((name) => name.startsWith('pg'))).toEqual(['pg18']);
    expect(fs.readdirSync(directory.data)).toEqual(['PG_VERSION']);
  });

  it('is refused if another version made it', async () => {
    const directory = directoryWith('exit 1');
    fs.mkdirSync(directory.data);
    fs.writeFileSync(path.join(directory.data, 'PG_VERSION'), '17\n');
    await expect(makeDataDirectory(directory)).rejects.toThrow('was made by PostgreSQL 17, but this distilog contains PostgreSQL 18');
    expect(fs.readFileSync(path.join(directory.data, 'PG_VERSION'), 'utf8')).toBe('17\n');
  });

  it('is closed to other users, even if a copy changed its mode', async () => {
    const directory = directoryWith('exit 1');
    fs.mkdirSync(directory.data);
    fs.writeFileSync(path.join(directory.data, 'PG_VERSION'), '18\n');
    fs.chmodSync(directory.data, 0o755);
    await makeDataDirectory(directory);
    expect(fs.statSync(directory.data).mode & 0o777).toBe(0o700);
    if (isRoot) expect(fs.statSync(path.join(directory.data, 'PG_VERSION')).uid).toBe(unprivileged.uid);
  });
});
