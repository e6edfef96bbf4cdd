import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fuzzBytes, fuzzEvents } from '../fuzz/stored.ts';
import { fuzzCommands } from '../fuzz/commands.ts';
import { fuzzPipelines, fuzzTexts } from '../fuzz/given.ts';
import type { Area } from './area.ts';

/** Gives random and broken input to readers. Each must answer with a sentence, and never with a stack, a partial file or a changed log. */
export const fuzz: Area = {
  name: 'fuzz',
  does: 'gives invalid input to every reader of texts, files, chunks, events and command lines',
  run: async ({ seed, seeds }) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-fuzz-'));
    fs.chmodSync(folder, 0o755);
    const figures = {
      texts: await fuzzTexts(seed, seeds * 10),
      chunks: fuzzBytes(seed, seeds * 100),
      events: fuzzEvents(seed, seeds),
      pipelines: await fuzzPipelines(seed, seeds, folder),
      commands: await fuzzCommands(seed, seeds * 2, folder),
    };
    fs.rmSync(folder, { recursive: true, force: true });
    return figures;
  },
};
