import fs from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readyPostmaster, signal } from '../embedded/processes.ts';
import { isNightly, seedFrom } from '../fixtures/slice.ts';
import { randomFrom } from '../unit/random.ts';
import { dictionary, distilog, finished, json, killGroup, start, embeddedFolder } from './command.ts';

interface Exported {
  readonly configs: readonly { readonly name: string; readonly rows: number; readonly rowsSha256: string }[];
}
interface Note {
  readonly what: 'asked' | 'answered';
  readonly key: string;
  readonly at: number;
}

const limit = isNightly ? 1_500 : 900;
/** What is killed, in this order after shuffling. */
const strikes = isNightly ? ['group', 'group', 'postgres', 'group', 'group', 'postgres', 'group'] : ['group', 'postgres', 'group'];
const seed = seedFrom('DISTILOG_CRASH_SEED');
const hashesOf = ({ configs }: Exported) => configs.map(({ name, rows, rowsSha256 }) => [name, rows, rowsSha256]);

describe(`a run that is killed repeatedly (seed ${seed})`, () => {
  it('has the rows of an undisturbed run, and repeats no call whose answer was a second old', async () => {
    const random = randomFrom(seed);
    const delay = monitorEventLoopDelay();
    delay.enable();
    const calm = embeddedFolder();
    await finished(start(['run', dictionary, '--param', `limit=${limit}`, '--seed', '7', '--json'], { cwd: calm }));
    const expected = await json<Exported>(['distiset'], { cwd: calm });

    const cwd = embeddedFolder();
    const ledger = path.join(cwd, 'ledger.jsonl');
    const env = { LOCAL_MODEL_LEDGER: ledger };
    const kills = strikes.toSorted(() => random.next() - 0.5);
    /** What it notes between the two it was still able to. */
    const deaths: { readonly at: number; readonly goneAt: number }[] = [];
    const outages: Promise<Outage>[] = [];
    let child = start(['run', dictionary, '--param', `limit=${limit}`, '--seed', '7', '--json'], { cwd, env });
    let ended = finished(child);
    const runId = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (text: string) => resolve((JSON.parse(text.split('\n')[0] ?? '') as { runId: string }).runId));
      void ended.then(({ stderr }) => reject(new Error(stderr)));
    });
    for (const kill of kills) {
      await sleep(1200 + random.below(500));
      if (kill === 'postgres') {
        // One that is not back from the last time is not there to be killed.
        const pid = await serverUp(cwd);
        outages.push(killed(cwd, pid));
        continue;
      }
      const at = Date.now();
      killGroup(child);
      await ended;
      deaths.push({ at, goneAt: Date.now() });
      child = start(['resume', runId, '--json'], { cwd, env });
      ended = finished(child);
    }
    const last = await ended;
    if (last.code === null || last.code === 1) throw new Error(last.stderr);
    // The last kill may have hit a run that was finished already.
    expect([0, 2, 3], last.stderr).toContain(last.code);
    expect(last.stderr).not.toContain('is driven by');

    expect(hashesOf(await json<Exported>(['distiset', runId], { cwd }))).toEqual(hashesOf(expected));
    expect(await json(['verify', runId], { cwd })).toMatchObject({ ok: true, firstBad: null });
    expect(await json(['rebuild', runId, '--check'], { cwd })).toMatchObject({ firstDifference: null });

    const written = await timesOf(runId, cwd);
    const away = (await Promise.all(outages)).map(({ from, upAt }) => ({ from, to: written.find((time) => time > upAt) ?? Date.now() }));
    const answered = new Map<string, number>();
    for (const { what, key, at } of notesIn(ledger)) {
      const before = answered.get(key);
      if (what === 'asked' && before !== undefined) {
        const death = deaths.find(({ goneAt }) => goneAt >= before);
        expect(death, `${key} was asked again though nothing was killed`).toBeDefined();
        // While PostgreSQL is away nothing can be written down.
        if (away.some(({ from, to }) => before > from - 1_000 && before < to)) continue;
        // A second, and what the clocks of two processes and a loaded machine may add.
        expect((death?.at ?? 0) - before, `${key} was asked again`).toBeLessThan(1_000 + 250 + (2 * delay.max) / 1e6);
      }
      if (what === 'answered') answered.set(key, at);
    }
  });
});

/** A time without PostgreSQL: until its successor lets clients in. What was under way is written a moment longer, by a server process that outlives its parent. */
interface Outage {
  readonly from: number;
  readonly upAt: number;
}

async function killed(cwd: string, pid: number): Promise<Outage> {
  signal(pid);
  const from = Date.now();
  await serverUp(cwd, pid);
  return { from, upAt: Date.now() };
}

/** Waits for a server that lets clients in, another than `before`. Returns its process. */
async function serverUp(cwd: string, before?: number): Promise<number> {
  for (const giveUpAt = Date.now() + 30_000; Date.now() < giveUpAt; await sleep(10)) {
    const pid = readyPostmaster(cwd);
    if (pid !== 0 && pid !== before) return pid;
  }
  throw new Error('the server did not come back');
}

/** When each event of a run was written. */
async function timesOf(runId: string, cwd: string): Promise<readonly number[]> {
  const { stdout } = await distilog(['log', runId, '--json'], { cwd });
  return stdout
    .trim()
    .split('\n')
    .map((line) => Date.parse((JSON.parse(line) as { recordedAt: string }).recordedAt));
}

const notesIn = (ledger: string): readonly Note[] =>
  fs
    .readFileSync(ledger, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Note);
