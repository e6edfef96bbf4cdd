import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const child = fileURLToPath(new URL('unawaited-child.ts', import.meta.url));

interface Told {
  readonly rests: readonly string[];
  readonly rows: readonly number[];
  readonly rejected: readonly {
    readonly batch: number;
    readonly row: number;
    readonly code: string;
    readonly message: string;
    readonly attempts: number;
  }[];
  readonly failed: readonly { readonly code: string; readonly counted: boolean }[];
  readonly paused: readonly { readonly reason: string; readonly message: string }[];
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function started(...args: readonly string[]): Promise<Ended> {
  const process_ = spawn(process.execPath, ['--no-warnings', child, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', VITEST: '' },
  });
  let stdout = '';
  let stderr = '';
  process_.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  process_.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => process_.once('close', (code) => resolve({ code, stdout, stderr })));
}

async function told(scenario: string): Promise<Told> {
  const { code, stdout, stderr } = await started(scenario);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Told;
}

const code = 'unhandled-rejection';
const others = [0, 1, 2, 4, 5, 6, 7];
const message = 'The step started a promise or timer that failed, and did not await it: floating';

describe('an unawaited error rejects the row whose call started it', () => {
  it.each([
    'a rejection beside a call',
    'a throw in a timer',
    'a rejection of a call that returns',
    'a rejection of a function that returns at once',
    'a rejection of a generator',
  ])('%s', async (scenario) => {
    const { rests, rows, rejected, failed } = await told(scenario);
    expect(rejected).toEqual([{ batch: 0, row: 3, code, message, attempts: 2 }]);
    expect(failed).toEqual([{ code, counted: true }]);
    expect([rests, rows]).toEqual([['partial'], others]);
  });

  it('a rejection of a function that is tried once', async () => {
    const { rests, rows, rejected, failed } = await told('a rejection of a function that is tried once');
    expect(rejected).toEqual([{ batch: 0, row: 3, code, message, attempts: 1 }]);
    expect([rests, rows, failed]).toEqual([['partial'], others, []]);
  });

  it('a late rejection of a call that failed costs nothing more', async () => {
    const { rests, rows, rejected, failed } = await told('a late rejection of a call that failed');
    expect(rejected).toEqual([{ batch: 0, row: 3, code: 'own', message: 'by itself', attempts: 1 }]);
    expect([rests, rows, failed]).toEqual([['partial'], others, []]);
  });
});

describe('an unawaited error rejects the batch if one call gets all of its rows', () => {
  it.each(['a rejection of a mapBatch', 'a rejection of a batch'])('%s', async (scenario) => {
    const { rests, rows, rejected, failed } = await told(scenario);
    expect(rejected).toEqual([0, 1, 2, 3].map((row) => ({ batch: 0, row, code, message, attempts: 2 })));
    expect(failed).toEqual([{ code, counted: true }]);
    expect([rests, rows]).toEqual([['partial'], [4, 5, 6, 7]]);
  });

  it.each(['a rejection of a global', 'an event of a source that nobody listens to'])('%s', async (scenario) => {
    const { failed, paused } = await told(scenario);
    expect(failed.map((each) => each.code)).toEqual(failed.map(() => code));
    expect(failed.length).toBeGreaterThan(0);
    expect(paused).toEqual([]);
  });
});

describe('an unawaited error pauses the run, which loses nothing', () => {
  it.each([
    ['a rejection after its batch has ended', 'an error that nothing awaited came after batch 0 of step call had ended: floating'],
    ['an event of a resource that nobody listens to', 'an error that nothing awaited stems from resource client: floating'],
    ['an error from elsewhere', 'an error that nothing awaited, and that stems from no batch: floating'],
  ])('%s', async (scenario, why) => {
    const { rests, rows, rejected, paused } = await told(scenario);
    expect(paused).toEqual([{ reason: code, message: why }]);
    expect([rests, rows, rejected]).toEqual([['paused', 'succeeded'], [0, 1, 2, 3, 4, 5, 6, 7], []]);
  });
});

describe('a program that uses the library', () => {
  it('ends as Node ends it, unless it installs handlers', async () => {
    const { code: exit, stderr } = await started('a rejection beside a call', 'unhandled');
    expect(exit).toBe(1);
    expect(stderr).toContain('Error: floating');
  });
});
