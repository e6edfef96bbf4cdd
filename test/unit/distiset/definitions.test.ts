// Rows that were made under a later definition than the one with which their run started.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDistiset, rowAt, runDefinitions, traceRow, writeDistiset } from '../../../src/distiset/index.ts';
import { resolveAsOf } from '../../../src/log/index.ts';
import { changedRun } from './changed-runs.ts';
import { temporaryFolder } from './temporary-folder.ts';

const shared = changedRun();

const settings = (temperature: number, prompt: string) => ({ model: { id: 'oracle' }, temperature, prompt });

describe('a trace of a run whose definition changed', () => {
  it.each([
    ['made under the first definition', 0, 0, settings(0.2, 'Answer briefly.')],
    ['done under the first, in a batch that the second finished', 2, 0, settings(0.2, 'Answer briefly.')],
    ['of the same batch, made under the second', 3, 1, settings(0.9, 'Answer briefly.\nBe kind.')],
    ['retried under the third', 5, 2, settings(1, 'Answer.')],
  ])('shows a row %s with the settings of that definition', async (_what, index, definition, expected) => {
    const { store, runId, definitions } = await shared;
    const to = (await store.log.head(runId))?.position ?? 0;
    const traced = await traceRow(store, runId, await rowAt(store, runId, 'answer', index, to), to);
    expect(traced.wrote).toEqual({ answer: expect.stringContaining(` at ${expected.temperature}`) as string });
    expect(traced).toMatchObject({ settings: expected, definition: { position: definitions[definition] } });
  });

  it('has only the definitions up to its position', async () => {
    const { store, runId, definitions } = await shared;
    expect((await runDefinitions(store, runId)).map(({ position }) => position)).toEqual(definitions);
    expect((await runDefinitions(store, runId, (definitions[1] ?? 0) - 1)).map(({ position }) => position)).toEqual([1]);
  });
});

describe('an export of a run whose definition changed', () => {
  async function exported(position?: number) {
    const { store, runId } = await shared;
    const asOf = await resolveAsOf(store.log, runId, position === undefined ? { kind: 'head' } : { kind: 'position', position });
    const directory = path.join(temporaryFolder(), 'out');
    const { metadata } = await writeDistiset(await createDistiset(store, runId, { asOf }), { directory, format: 'jsonl', distilog: '0' });
    return { metadata, asOf, card: fs.readFileSync(path.join(directory, 'README.md'), 'utf8') };
  }

  it('lists the definitions, each with its positions and changes', async () => {
    const { definitions } = await shared;
    const [, second = 0, third = 0] = definitions;
    const { metadata, asOf } = await exported();
    expect(metadata.definitions).toMatchObject([
      { from: 1, to: second - 1, changes: [], files: [] },
      {
        from: second,
        to: third - 1,
        changes: [
          {
            step: 'answer',
            kind: 'changed',
            parts: ['captures'],
            difference: [
              '- settings.prompt: "Answer briefly."',
              '- settings.temperature: 0.2',
              '+ settings.prompt:',
              '+   Answer briefly.',
              '+   Be kind.',
              '+ settings.temperature: 0.9',
            ],
          },
        ],
      },
      { from: third, to: asOf.position },
    ]);
  });

  it('shows them on its card as a diff if there are several', async () => {
    const { definitions } = await shared;
    const { card } = await exported();
    expect(card).toContain(`* Positions ${definitions[1]} to ${(definitions[2] ?? 0) - 1} of the log`);
    expect(card).toContain('```diff\n@@ step answer @@\n- settings.prompt: "Answer briefly."\n- settings.temperature: 0.2\n');
    const before = await exported((definitions[1] ?? 0) - 1);
    expect(before.metadata.definitions).toHaveLength(1);
    expect(before.card).not.toContain('## Definitions');
  });
});
