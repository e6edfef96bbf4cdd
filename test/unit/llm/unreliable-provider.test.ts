import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { languageModel, structuredGeneration, textGeneration } from '../../../src/llm/index.ts';
import { z } from 'zod';
import { pipeline } from '../../../src/pipeline/index.ts';
import { eventsOf, ran, resumed } from '../engine/engine.ts';
import { faultByContent, faultNames } from '../../llm-server/faults.ts';
import type { LedgerEntry } from '../../llm-server/ledger.ts';
import { billed, consumed, instructions, key, provider, rejections, rowsIn } from './providers.ts';

const rows = 120;
const texts = Array.from({ length: rows }, (_, index) => `Write about number ${index}.`);
const hopeless = ['context-length', 'filter-error', 'filtered', 'bad-request', 'echo', 'length'];

describe('a run with a provider that fails in every way', () => {
  it('ends with every row that can succeed, and counts what the provider billed', async () => {
    const faults = faultNames.filter((name) => !name.startsWith('rate-limit-hour') && name !== 'rate-limit-date' && name !== 'huge');
    const { server, model } = await provider({ fault: faultByContent(faults, 0.5) });
    const pipe = pipeline('unreliable', ({ source }) => {
      source('rows', { ...instructions(...texts), batchSize: 20 })
        .map('text', textGeneration({ model }), { concurrency: 8, timeoutMs: 1_500, retry: { attempts: 4, backoffMs: 1 } })
        .map('data', structuredGeneration({ model, schema: z.object({ title: z.string() }), prompt: 'Name this: {{ generation }}' }), {
          concurrency: 8,
          timeoutMs: 1_500,
          retry: { attempts: 4, backoffMs: 1 },
        });
    });
    const run = await ran(pipe, { isRejectLimitLifted: true });
    let { rest } = run;
    for (let resumes = 0; rest === 'paused' && resumes < 200; resumes++)
      rest = await resumed(run.store, run.runId, pipe, { isRejectLimitLifted: true });
    expect(rest).toBe('partial');
    const events = await eventsOf(run.store, run.runId);
    const lost = rejections(events);
    for (const { code } of lost)
      expect(['context-length', 'content-filter', 'bad-request', 'empty-answer', 'invalid-output']).toContain(code);
    const given = server.ledger.entries.filter(({ outcome }) => hopeless.includes(outcome));
    // A row whose answers did not match twice is lost, too.
    expect(lost.filter(({ code }) => code !== 'invalid-output')).toHaveLength(given.length);
    expect(await rowsIn(run)).toHaveLength(rows - lost.length);
    expect(consumed(events)).toEqual(billed(server));
  });
});

describe('the provider as a process of its own', () => {
  it('prints its address, and its ledger remains after it ends', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'distilog-llm-'));
    const ledger = path.join(folder, 'ledger.jsonl');
    const args = ['test/llm-server/main.ts', '--port', '0', '--faults', 'transient', '--ledger', ledger, '--key', key];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const url = (await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()).value as string;
      process.env['OPENAI_API_KEY'] = key;
      const model = languageModel('tiny', { baseURL: url });
      const run = await ran(
        pipeline('child', ({ source }) => {
          source('rows', instructions(...texts.slice(0, 30))).map('text', textGeneration({ model }), {
            retry: { attempts: 3, backoffMs: 1 },
          });
        }),
      );
      expect(run.rest).toBe('succeeded');
      const { calls, inputTokens, outputTokens } = consumed(await eventsOf(run.store, run.runId));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      const entries = readFileSync(ledger, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as LedgerEntry);
      expect(entries).toHaveLength(calls);
      expect(entries.reduce((sum, entry) => sum + entry.inputTokens, 0)).toBe(inputTokens);
      expect(entries.reduce((sum, entry) => sum + entry.outputTokens, 0)).toBe(outputTokens);
      expect(new Set(entries.map((entry) => entry.key)).size).toBe(30);
      expect(entries.filter(({ outcome }) => outcome === 'answered').every(({ answer }) => answer.includes('"content"'))).toBe(true);
      // One that is started after it goes on counting: what failed at its first try does not fail again.
      const next = await provider({ ledgerFile: ledger, fault: ({ attempt }) => (attempt === 1 ? 'bad-request' : undefined) });
      const again = pipeline(
        'next',
        ({ source }) => void source('rows', instructions(texts[0] ?? '')).map('text', textGeneration({ model: next.model })),
      );
      expect((await ran(again)).rest).toBe('succeeded');
      expect(next.server.ledger.entries).toHaveLength(entries.length + 1);
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
