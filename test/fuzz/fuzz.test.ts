import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/distiset/temporary-folder.ts';
import { fuzzCommands } from './commands.ts';
import { fuzzPipelines, fuzzTexts } from './given.ts';
import { fuzzBytes, fuzzEvents } from './stored.ts';

const seed = Number(process.env['DISTILOG_SEED'] ?? 1);
const folder = temporaryFolder();
fs.chmodSync(folder, 0o755);

describe(`invalid input (seed ${seed})`, () => {
  it('in texts is reported in a sentence', async () => expect(await fuzzTexts(seed, 300)).toContain('taken'));
  it('in chunks is detected', () => expect(fuzzBytes(seed, 5_000)).toContain('read'));
  it('in events is left out, and the other events can be folded', () => expect(fuzzEvents(seed, 20)).toContain('read'));
  it('in pipelines is reported in a sentence', async () => expect(await fuzzPipelines(seed, 40, folder)).toContain('planned'));
  it('on command lines is reported in a sentence, and changes nothing', async () =>
    expect(await fuzzCommands(seed, 60, folder)).toContain('done'));
});
