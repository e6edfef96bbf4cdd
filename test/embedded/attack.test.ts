import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isNightly, seedFrom } from '../fixtures/slice.ts';
import { attack, type AttackFigures } from './attack.ts';

const seed = seedFrom('DISTILOG_ATTACK_SEED');
const rounds = Number(process.env['DISTILOG_ATTACK_ROUNDS'] ?? (isNightly ? 20 : 6));
const roundMsMax = 90_000;
/** The parts of /proc that this test reads exist on Linux only. */
const isLinux = process.platform === 'linux';

describe.skipIf(!isLinux)(`an embedded store whose processes are killed (DISTILOG_ATTACK_SEED=${seed}, ${rounds} rounds)`, () => {
  let folder: string;
  const said: string[] = [];
  let figures: AttackFigures;

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-attack-'));
    figures = await attack({ folder, rounds, seed, say: (line) => said.push(line) });
    console.log(JSON.stringify({ seed, rounds, ...figures }));
  }, rounds * roundMsMax);

  afterAll(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('keeps every row that it acknowledged', () => {
    expect(figures.rows, said.join('\n')).toBeGreaterThan(0);
    expect(figures.lost, said.join('\n')).toBe(0);
  });

  it('never has two postmasters, or backends of a dead postmaster next to a live one', () => {
    expect([figures.doubles, figures.strays], said.join('\n')).toEqual([0, 0]);
    expect(figures.samples).toBeGreaterThan(rounds);
  });

  it('lets the next client in within 5 s', () => {
    expect(figures.nextMs.max, said.join('\n')).toBeLessThan(5_000);
  });

  it('leaves nothing running 15 s after the last client', () => {
    expect(figures.goneMs.max, said.join('\n')).toBeLessThan(15_000);
  });

  it('never fails a client', () => {
    expect(figures.failures, said.join('\n')).toEqual([]);
  });
});
