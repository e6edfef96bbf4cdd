import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStateFolder, readStateFile, stateDirectory, writeStateFile } from '../../../src/kit/state-directory.ts';

const isWindows = process.platform === 'win32';
const isRoot = process.getuid?.() === 0;

describe('the state directory', () => {
  let home: string;
  let environment: Record<string, string>;
  let umask: number;

  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-state-'));
    environment = { XDG_STATE_HOME: path.join(home, 'state') };
    umask = process.umask(0);
  });

  afterEach(() => {
    process.umask(umask);
    fs.rmSync(home, { recursive: true });
  });

  const modeOf = (file: string) => fs.statSync(file).mode & 0o777;

  it('is below XDG_STATE_HOME if that is absolute, else in the home folder', () => {
    expect(stateDirectory(environment)).toBe(path.join(home, 'state', 'distilog'));
    if (isWindows) return;
    const inHome = path.join(os.homedir(), '.local', 'state', 'distilog');
    for (const given of ['', 'relative/state']) expect(stateDirectory({ XDG_STATE_HOME: given })).toBe(inHome);
    expect(stateDirectory({})).toBe(inHome);
  });

  it('is closed to other users, with any umask', () => {
    writeStateFile(['stores', 'one.json'], '{}', environment);
    expect(readStateFile(['stores', 'one.json'], environment)).toBe('{}');
    if (isWindows) return;
    const state = path.join(home, 'state');
    expect(['', 'distilog', 'distilog/stores', 'distilog/stores/one.json'].map((name) => modeOf(path.join(state, name)))).toEqual([
      0o700, 0o700, 0o700, 0o600,
    ]);
    fs.chmodSync(path.join(state, 'distilog'), 0o777);
    expect(modeOf(makeStateFolder([], environment))).toBe(0o700);
  });

  it('replaces a file atomically, leaves nothing else behind, and creates nothing when it is read', () => {
    expect(readStateFile(['stores', 'one.json'], environment)).toBeNull();
    expect(fs.readdirSync(home)).toEqual([]);
    writeStateFile(['one.json'], 'first', environment);
    writeStateFile(['one.json'], 'second', environment);
    expect(readStateFile(['one.json'], environment)).toBe('second');
    expect(fs.readdirSync(path.join(home, 'state', 'distilog'))).toEqual(['one.json']);
  });

  it('reports a folder that cannot be made, with advice', () => {
    fs.writeFileSync(path.join(home, 'state'), 'a file');
    const refused = { code: 'state-unusable', message: expect.stringMatching(/Set XDG_STATE_HOME/) };
    expect(() => makeStateFolder([], environment)).toThrow(expect.objectContaining(refused));
    expect(() => writeStateFile(['one.json'], '{}', environment)).toThrow(expect.objectContaining(refused));
  });

  it.skipIf(!isRoot)(`trusts no file and no folder of another user${isRoot ? '' : ' (skipped: not root)'}`, () => {
    writeStateFile(['stores', 'one.json'], '{}', environment);
    const directory = path.join(home, 'state', 'distilog');
    const refused = expect.objectContaining({ code: 'state-unusable', message: expect.stringContaining('belongs to user 65534') });
    fs.chownSync(path.join(directory, 'stores', 'one.json'), 65_534, 65_534);
    expect(() => readStateFile(['stores', 'one.json'], environment)).toThrow(refused);
    fs.chownSync(directory, 65_534, 65_534);
    expect(() => makeStateFolder([], environment)).toThrow(refused);
    expect(() => readStateFile(['other.json'], environment)).toThrow(refused);
  });
});
