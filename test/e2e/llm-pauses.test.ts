import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { distilog, finished, json, start, workFolder } from './command.ts';
import { ledgerEntries, preferencePipeline, startProvider } from './provider.ts';

interface Status {
  readonly status: string;
  readonly paused: { readonly reason: string; readonly message: string } | null;
  readonly steps: readonly { readonly name: string; readonly rows: { readonly rejected: number } }[];
}

/** Calls in flight of the pipeline's three steps that call. */
const inFlightMax = 15;
const rejectedIn = ({ steps }: Status) => steps.reduce((sum, { rows }) => sum + rows.rejected, 0);

describe('a provider that needs an operator', () => {
  it('refuses the key midway: the run pauses, and continues with another key', async () => {
    const cwd = await workFolder();
    const ledger = path.join(cwd, 'ledger.jsonl');
    const revoking = await startProvider(['--ledger', ledger, '--revoke', '500']);
    const run = await distilog(['run', preferencePipeline(cwd), '--param', 'rows=190', '--seed', '7'], { cwd, env: revoking.env });
    expect(run).toMatchObject({ code: 4 });
    expect(run.stdout).toMatch(/refused the key \(HTTP 401\).*Set another key in the environment, then resume the run\./);
    expect(run.stdout).toMatch(/No rows were lost\. Fix the cause above, then run: distilog resume preferences-/);
    const refused = ledgerEntries(ledger).filter(({ outcome }) => outcome === 'unauthorized');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(inFlightMax);
    expect(await json<Status>(['status'], { cwd })).toMatchObject({ status: 'paused', paused: { reason: 'auth' } });

    await revoking.stop();
    const mended = await startProvider(['--ledger', ledger]);
    expect((await distilog(['resume'], { cwd, env: mended.env })).code).toBe(0);
    expect(rejectedIn(await json<Status>(['status'], { cwd }))).toBe(0);
    const answered = ledgerEntries(ledger).filter(({ outcome }) => outcome === 'answered');
    expect(new Set(answered.map(({ key }) => key)).size).toBe(answered.length);
    expect(await json(['distiset'], { cwd })).toMatchObject({ configs: [{ name: 'pairs' }, { name: 'ratings', rows: 190 }] });
  });

  it('does not know the model: the run pauses after the calls in flight', async () => {
    const cwd = await workFolder();
    const ledger = path.join(cwd, 'ledger.jsonl');
    const { env } = await startProvider(['--ledger', ledger, '--stubborn', 'model-not-found']);
    const run = await distilog(['run', preferencePipeline(cwd), '--param', 'rows=200'], { cwd, env });
    expect(run).toMatchObject({ code: 4 });
    expect(run.stdout).toMatch(/was not found \(HTTP 404\).*Check the model id and baseURL, then resume the run\./);
    const refused = ledgerEntries(ledger).filter(({ outcome }) => outcome === 'model-not-found');
    expect(refused.length).toBeLessThanOrEqual(inFlightMax);
    expect(rejectedIn(await json<Status>(['status'], { cwd }))).toBe(0);
  });

  it('asks for a pause of an hour: the run waits, says until when, and Ctrl-C pauses it at once', async () => {
    const cwd = await workFolder();
    const ledger = path.join(cwd, 'ledger.jsonl');
    const { env } = await startProvider(['--ledger', ledger, '--faults', 'rate-limit-hour', '--share', '0.2']);
    const child = start(['run', preferencePipeline(cwd), '--param', 'rows=100'], { cwd, env });
    let said = '';
    const waiting = new Promise<void>((resolve) => {
      child.stderr?.on('data', (text) => {
        said += String(text);
        if (/waits until/.test(said)) resolve();
      });
    });
    const ended = finished(child);
    await Promise.race([waiting, ended]);
    expect(said).toMatch(/The model (left|right|judge) at http:\/\/127\.0\.0\.1:\d+\/v1 asks for a pause.*waits until .*\d:\d\d/);
    expect(said.match(/waits until/g)?.length).toBeLessThanOrEqual(3);
    const asked = ledgerEntries(ledger).length;
    await sleep(500);
    expect(ledgerEntries(ledger).length - asked).toBeLessThan(100);
    const interruptedAt = Date.now();
    child.kill('SIGINT');
    const { code } = await ended;
    expect(Date.now() - interruptedAt).toBeLessThan(60_000);
    expect(code).toBe(4);
    expect(await json<Status>(['status'], { cwd })).toMatchObject({ status: 'paused', paused: { reason: 'asked' } });
    expect(rejectedIn(await json<Status>(['status'], { cwd }))).toBe(0);
  });
});
