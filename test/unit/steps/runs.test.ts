import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pipeline, type Pipeline } from '../../../src/pipeline/index.ts';
import { csv, jsonl } from '../../../src/steps/index.ts';
import { eventsOf, ran, resumed, rowsOf } from '../engine/engine.ts';
import { fileOf } from './reading.ts';

const output = z.object({ n: z.int() });
const linesOf = (total: number) => Array.from({ length: total }, (_, n) => `{"n":${n}}`);

/** A pipeline over a file whose one step may do something at a row. */
const over = (file: string, at: (n: number) => void = () => undefined, batchSize = 10): Pipeline =>
  pipeline('files', ({ source }) => {
    source('rows', jsonl(file, { output, batchSize })).map('step', {
      output: z.object({ twice: z.int() }),
      run: ({ n }) => {
        at(n);
        return { twice: 2 * n };
      },
    });
  });

describe('a run over a file', () => {
  it('records the file and the number of its rows', async () => {
    const file = fileOf(linesOf(25).join('\n'), 'jsonl');
    const { store, runId, rest } = await ran(over(file));
    expect(rest).toBe('succeeded');
    const started = (await eventsOf(store, runId)).find(({ type }) => type === 'StepStarted');
    expect(started?.data).toEqual({
      count: 25,
      origin: { path: file, bytes: fs.statSync(file).size, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string, rows: 25 },
    });
    expect((await rowsOf(store, runId))['default']).toHaveLength(25);
  });

  it('rejects the rows that cannot be read, and counts them', async () => {
    const lines = linesOf(30);
    lines[3] = '{"n":';
    lines[17] = '{"n":"x"}';
    const { store, runId, rest } = await ran(over(fileOf(lines.join('\n\n'), 'jsonl')));
    expect(rest).toBe('partial');
    expect((await rowsOf(store, runId))['default']).toHaveLength(28);
    const events = await eventsOf(store, runId);
    const causes = events.flatMap((event) => (event.type === 'BatchSucceeded' ? Object.keys(event.data.rejected.codes) : []));
    expect(JSON.stringify(causes)).toMatch(/invalid-line.*invalid-value/);
  });

  it('pauses when the file changes while it is read, and continues when it is restored', async () => {
    const text = `${linesOf(60_000).join('\n')}\n`;
    const file = fileOf(text, 'jsonl');
    const stat = fs.statSync(file);
    let isChanged = false;
    const pipe = over(
      file,
      (n) => {
        if (n < 20 || isChanged) return;
        isChanged = true;
        fs.appendFileSync(file, '{"n":-1}\n');
      },
      1_000,
    );
    const { store, runId, rest } = await ran(pipe);
    expect(rest).toBe('paused');
    const paused = (await eventsOf(store, runId)).find(({ type }) => type === 'RunPaused');
    expect(paused?.data).toMatchObject({
      reason: 'resource',
      message: expect.stringMatching(/has changed while it was read: it had \d+ bytes and has \d+/) as string,
    });
    expect(await resumed(store, runId, pipe)).toBe('paused');
    fs.truncateSync(file, stat.size);
    expect(await resumed(store, runId, pipe)).toBe('succeeded');
    expect((await rowsOf(store, runId))['default']).toEqual(Array.from({ length: 60_000 }, (_, n) => ({ n, twice: 2 * n })));
  });

  it('pauses when the file shrinks while it is read', async () => {
    const file = fileOf(`${linesOf(60_000).join('\n')}\n`, 'jsonl');
    const { store, runId, rest } = await ran(over(file, (n) => void (n === 20 && fs.truncateSync(file, 300_000)), 1_000));
    expect(rest).toBe('paused');
    expect(JSON.stringify((await eventsOf(store, runId)).find(({ type }) => type === 'RunPaused')?.data)).toMatch(
      /has changed while it was read/,
    );
  });

  it('continues if the file was touched or moved', async () => {
    const text = linesOf(100).join('\n');
    let isBroken = true;
    const stop = (n: number) => {
      if (n === 50 && isBroken) throw Object.assign(new Error('no more'), { code: 'quota' });
    };
    const file = fileOf(text, 'jsonl');
    const { store, runId, rest } = await ran(over(file, stop));
    expect(rest).toBe('paused');
    isBroken = false;
    fs.utimesSync(file, new Date(), new Date());
    expect(await resumed(store, runId, over(fileOf(text, 'jsonl'), stop))).toBe('succeeded');
    expect((await rowsOf(store, runId))['default']).toHaveLength(100);
  });

  it('has a signature that depends on the delimiter but not on the path', async () => {
    const { plan } = await import('../../../src/pipeline/index.ts');
    const signatureOf = (of: Pipeline) => plan(of).manifest.steps.map(({ signature }) => signature);
    expect(signatureOf(over('a.jsonl'))).toEqual(signatureOf(over('b.jsonl')));
    const ofCsv = (delimiter: string) =>
      signatureOf(pipeline('files', ({ source }) => void source('rows', csv('a.csv', { output, delimiter }))));
    expect(ofCsv(',')).not.toEqual(ofCsv(';'));
  });
});
