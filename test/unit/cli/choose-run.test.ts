import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, type Store } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { chooseRun, isResumable, isRetryable, type RunChoice } from '../../../src/cli/choose-run.ts';
import { exitCodeOfError } from '../../../src/cli/exit-codes.ts';
import { silentTerminal } from './silent-terminal.ts';

type End = 'paused' | 'succeeded' | 'partial' | 'source-lossy' | 'driven';

/** A store with runs that ended so, the first the oldest; ids are `PIPELINE-N`. */
async function storeWith(...ends: readonly (readonly [string, End])[]): Promise<Store> {
  const store = memoryStore();
  for (const [index, [name, end]] of ends.entries()) {
    const pipe = pipeline(name, ({ source }) => {
      const rows = source('rows', {
        output: z.object({ n: z.int() }),
        rows: [{ n: 1 }, ...(end === 'source-lossy' ? [{ n: 'x' } as never] : [])],
      });
      rows.map('half', {
        output: z.object({ half: z.int() }),
        retry: { attempts: 1 },
        run: ({ n }) => ({ half: end === 'partial' ? n / 2 : n }),
      });
    });
    const run = await startPipeline(store, plan(pipe), { runId: `${name}-${index + 1}` });
    if (end === 'driven') continue;
    if (end === 'paused')
      run.stop({ kind: 'pause', reason: 'asked', message: '', step: null, actor: { user: 'me', host: 'here', pid: 1 } });
    await run.drive();
  }
  return store;
}

const noted: string[] = [];
const terminal = silentTerminal({ note: (line) => void noted.push(line), isInteractive: true });
const choose = (store: Store, choice: Partial<RunChoice> = {}, asked?: string) =>
  chooseRun(terminal, store, asked, { command: 'resume', isCandidate: isResumable(false), mayAsk: false, ...choice });

describe('a command without a run', () => {
  it('continues the only run that can be resumed, even if others are newer', async () => {
    const store = await storeWith(['a', 'paused'], ['b', 'succeeded'], ['c', 'driven']);
    expect(await choose(store)).toBe('a-1');
  });

  it('chooses none of several: it lists them and ends with exit code 2', async () => {
    const store = await storeWith(['a', 'paused'], ['b', 'paused'], ['b', 'succeeded']);
    const refused: unknown = await choose(store).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'several-runs',
      message: expect.stringMatching(
        /distilog resume RUN\n {2}b-2 {2}pipeline b, paused, started .*\n {2}a-1 {2}pipeline a, paused, started [^\n]*$/,
      ) as string,
    });
    expect(exitCodeOfError(refused)).toBe(2);
  });

  it.each([
    ['2', 'a-1'],
    ['1', 'b-2'],
    ['a-1', 'a-1'],
  ])('asks which one at a terminal: %s', async (answer, runId) => {
    const store = await storeWith(['a', 'paused'], ['b', 'paused']);
    expect(await choose(store, { mayAsk: true, ask: () => Promise.resolve(answer) })).toBe(runId);
    expect(noted.slice(-2)).toEqual([expect.stringMatching(/^ {2}1 {2}b-2/), expect.stringMatching(/^ {2}2 {2}a-1/)]);
  });

  it.each(['', '3', '0', 'x'])('chooses none if the answer names none: %j', async (answer) => {
    const store = await storeWith(['a', 'paused'], ['b', 'paused']);
    await expect(choose(store, { mayAsk: true, ask: () => Promise.resolve(answer) })).rejects.toMatchObject({ code: 'several-runs' });
  });

  it('considers only runs of the pipeline whose file is given', async () => {
    const store = await storeWith(['a', 'paused'], ['b', 'paused']);
    expect(await choose(store, { pipeline: 'a' })).toBe('a-1');
    await expect(choose(store, { pipeline: 'z' })).rejects.toMatchObject({
      code: 'unknown-run',
      message: expect.stringContaining('no run of pipeline z') as string,
    });
  });

  it('returns the newest run if it can act on none, so that its state explains why', async () => {
    expect(await choose(await storeWith(['a', 'succeeded'], ['b', 'succeeded']))).toBe('b-2');
    expect(await choose(await storeWith(['a', 'succeeded'], ['b', 'driven']), { isCandidate: isResumable(true) })).toBe('b-2');
  });

  it('retries the only run with rejected rows that can be retried', async () => {
    const store = await storeWith(['a', 'partial'], ['b', 'source-lossy'], ['c', 'succeeded']);
    expect(await choose(store, { command: 'retry', isCandidate: isRetryable })).toBe('a-1');
  });

  it('uses a run that is named', async () => {
    expect(await choose(await storeWith(['a', 'paused'], ['b', 'paused']), {}, 'b')).toBe('b-2');
  });
});
