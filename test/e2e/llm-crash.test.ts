import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isNightly, seedFrom } from '../fixtures/slice.ts';
import { randomFrom } from '../unit/random.ts';
import { distilog, finished, json, killGroup, preference, start, workFolder } from './command.ts';
import { billedTokens, canary, ledgerEntries, severalPipeline, startProvider } from './provider.ts';

interface Exported {
  readonly configs: readonly { readonly name: string; readonly rows: number; readonly rowsSha256: string }[];
}
interface Status {
  readonly usage: Tokens & { readonly thrownAway: Tokens };
}
interface Tokens {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

interface Case {
  readonly what: string;
  readonly file: (cwd: string) => string;
  readonly params: readonly string[];
  readonly latencyMs: number;
  readonly kills: number;
}

const cases: readonly Case[] = [
  {
    what: 'preference pairs',
    file: () => preference,
    params: [`questions=${isNightly ? 80 : 30}`, 'patience=4'],
    latencyMs: 60,
    kills: isNightly ? 10 : 3,
  },
  { what: 'four answers a row', file: severalPipeline, params: [`rows=${isNightly ? 40 : 16}`], latencyMs: 400, kills: isNightly ? 5 : 2 },
];
const seed = seedFrom('DISTILOG_CRASH_SEED');
/** Faults that another try gets over, and those that stay whatever is tried. */
const passing = 'rate-limit,rate-limit-bare,rate-limit-ms,server-error,unavailable,hang,cut,cut-body,malformed-json,no-choices,empty';
const staying = 'wrong-schema,not-json,nul,context-length,bad-request,filtered';
const faults = ['--faults', passing, '--share', '0.3', '--stubborn', staying];
/** Outcomes that are paid for and kept: what does not fit a schema is reported to the model, and asked for again in other words. */
const kept = ['answered', 'wrong-schema', 'not-json', 'nul'];
/** What the clocks of two processes and a loaded machine may add. An answer may also be in flight when its client is gone. */
const clockSlackMs = 400;

const hashesOf = ({ configs }: Exported) => configs.map(({ name, rows: count, rowsSha256 }) => [name, count, rowsSha256]);

describe(`a run with an unreliable provider that is killed repeatedly (seed ${seed})`, () => {
  const promise = 'gives the rows of an undisturbed run, pays for no answer twice that was a second old, and counts what was billed';
  it.each(cases)(`$what: ${promise}`, async ({ file, params, latencyMs, kills }) => {
    const random = randomFrom(seed);
    const delay = monitorEventLoopDelay();
    delay.enable();
    const begin = (cwd: string) => [
      'run',
      file(cwd),
      ...params.flatMap((param) => ['--param', param]),
      '--seed',
      '7',
      '--no-reject-limit',
      '--json',
    ];

    const calm = await workFolder();
    const calmLedger = path.join(calm, 'ledger.jsonl');
    const undisturbed = await startProvider([...faults, '--latency', `${latencyMs}`, '--ledger', calmLedger]);
    const calmRun = await finished(start(begin(calm), { cwd: calm, env: undisturbed.env }));
    expect([0, 3], calmRun.stderr).toContain(calmRun.code);
    const expected = await json<Exported>(['distiset'], { cwd: calm });
    const billed = ledgerEntries(calmLedger);
    const { usage: calmUsage } = await json<Status>(['status'], { cwd: calm });
    expect(calmUsage).toMatchObject({ calls: billed.length, ...billedTokens(billed.filter(({ wasDelivered }) => wasDelivered)) });
    const refused = billed.filter(({ outcome }) => outcome === 'filtered' || outcome === 'empty');
    const { thrownAway } = calmUsage;
    expect(thrownAway.inputTokens).toBeGreaterThanOrEqual(billedTokens(refused).inputTokens);
    expect(thrownAway.inputTokens).toBeLessThan(calmUsage.inputTokens / 2);

    const cwd = await workFolder();
    const ledger = path.join(cwd, 'ledger.jsonl');
    const { env } = await startProvider([...faults, '--latency', `${latencyMs}`, '--ledger', ledger]);
    const killedAt: number[] = [];
    let child = start(begin(cwd), { cwd, env });
    let ended = finished(child);
    const runId = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (text: string) => resolve((JSON.parse(text.split('\n')[0] ?? '') as { runId: string }).runId));
      void ended.then(({ stderr }) => reject(new Error(stderr)));
    });
    let poisoned = 0;
    const resume = () => start(['resume', runId, '--no-reject-limit', '--json'], { cwd, env });
    while (killedAt.length < kills) {
      const asked = ledgerEntries(ledger).length;
      let code: number | null | undefined;
      void ended.then((result) => {
        code = result.code;
      });
      while (ledgerEntries(ledger).length === asked && code === undefined) await sleep(20);
      await sleep(random.below(1_800));
      if (code === 4) poisoned++;
      else if (code !== undefined) break;
      else killedAt.push(Date.now());
      killGroup(child);
      await ended;
      child = resume();
      ended = finished(child);
    }
    let last = await ended;
    for (; last.code === 4; poisoned++) last = await finished(resume());
    // The last kill may have hit a run that was finished already.
    expect([0, 2, 3], last.stderr).toContain(last.code);

    expect(hashesOf(await json<Exported>(['distiset', runId], { cwd }))).toEqual(hashesOf(expected));
    expect(await json(['verify', runId], { cwd })).toMatchObject({ ok: true, firstBad: null });
    expect(await json(['rebuild', runId, '--check'], { cwd })).toMatchObject({ firstDifference: null });

    const slackMs = 1_000 + clockSlackMs + (2 * delay.max) / 1e6;
    const entries = ledgerEntries(ledger);
    const given = new Map<string, number>();
    let paidTwice = 0;
    for (const { key: asked, seed: luck, outcome, at, wasDelivered } of entries) {
      const key = `${asked}/${luck}`;
      const before = given.get(key);
      if (before !== undefined) {
        paidTwice++;
        const kill = killedAt.find((moment) => moment >= before - clockSlackMs);
        expect(kill, `${key} was asked again though nothing was killed`).toBeDefined();
        expect((kill ?? 0) - before, `${key} was asked again`).toBeLessThan(slackMs);
      }
      if (kept.includes(outcome) && wasDelivered) given.set(key, at);
    }

    const { usage } = await json<Status>(['status', runId], { cwd });
    const isInFlight = (at: number) => killedAt.some((kill) => at > kill - slackMs && at < kill + slackMs);
    const safe = entries.filter(({ at, wasDelivered }) => wasDelivered && !isInFlight(at));
    for (const unit of ['inputTokens', 'outputTokens'] as const) {
      expect(usage[unit]).toBeLessThanOrEqual(billedTokens(entries)[unit]);
      expect(usage[unit]).toBeGreaterThanOrEqual(billedTokens(safe)[unit]);
    }
    expect(usage.thrownAway.calls).toBeLessThanOrEqual(usage.calls);

    for (const args of [
      ['log', runId, '--json'],
      ['errors', runId, '--all'],
      ['status', runId],
      ['distiset', runId, '--out', 'out'],
    ])
      expect(JSON.stringify(await distilog(args, { cwd }))).not.toContain(canary);
    const lost = billedTokens(entries).inputTokens - usage.inputTokens;
    console.log({ seed, kills: killedAt.length, poisoned, calls: entries.length, paidTwice, usage, lost });
  });
});
