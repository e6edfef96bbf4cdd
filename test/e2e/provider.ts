import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { LedgerEntry } from '../llm-server/ledger.ts';

const main = fileURLToPath(new URL('../llm-server/main.ts', import.meta.url));

/** A key that must be found nowhere but in the environment. */
export const canary = 'sk-canary-7d1f0c93ab52e864';

/** The provider as a process of its own: it survives whatever happens to those who ask it. */
export interface ProviderProcess {
  /** What a pipeline's process needs to reach it. */
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts the provider; it is ended after the test at the latest. */
export async function startProvider(args: readonly string[]): Promise<ProviderProcess> {
  const child = spawn(process.execPath, ['--no-warnings', main, '--key', canary, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => ended(child));
  const url = (await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()).value as string;
  return { env: { OPENAI_BASE_URL: url, OPENAI_API_KEY: canary }, port: Number(new URL(url).port), stop: () => ended(child) };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** What a provider wrote into its ledger, in order. The line that it is writing at this moment is left for the next look. */
export function ledgerEntries(file: string): readonly LedgerEntry[] {
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : [];
  return lines.slice(0, -1).map((line) => JSON.parse(line) as LedgerEntry);
}

/** Tokens that were billed for answers. */
export const billedTokens = (entries: readonly LedgerEntry[]) => ({
  inputTokens: entries.reduce((sum, entry) => sum + entry.inputTokens, 0),
  outputTokens: entries.reduce((sum, entry) => sum + entry.outputTokens, 0),
});

/** A pipeline file in a folder: questions, two models that answer, a judge, pairs. */
export function preferencePipeline(cwd: string): string {
  fs.writeFileSync(
    path.join(cwd, 'preferences.ts'),
    `import { z } from 'zod';
import { pipeline } from 'distilog';
import { hasPreference, judge, languageModel, textGeneration, toDpo } from 'distilog/llm';

const params = z.object({ rows: z.int(), writer: z.string().default('left') });
const patient = { concurrency: 5, timeoutMs: 4000, retry: { attempts: 40, backoffMs: 50 } };

export default pipeline('preferences', { params }, ({ source, join, params }) => {
  const asked = source('questions', {
    output: z.object({ instruction: z.string() }),
    batchSize: 10,
    rows: Array.from({ length: params.rows }, (_, n) => ({ instruction: \`Explain matter \${n} to a child.\` })),
  });
  const left = asked.map('left', textGeneration({ model: languageModel(params.writer, { temperature: 1 }) }), patient);
  const right = asked.map('right', textGeneration({ model: languageModel('right', { temperature: 1 }) }), patient);
  const answers = join('answers', [left, right], { lists: { generation: 'generations', modelName: 'generationModels' } });
  const judged = answers.map('judged', judge({ model: languageModel('judge') }), patient);
  const pairs = judged.filter('preferred', hasPreference()).map('pairs', toDpo());
  const plain = judged.select('ratings', ['instruction', 'ratings']);
  return { pairs, plain };
});
`,
  );
  return 'preferences.ts';
}

/** A pipeline file in a folder: four answers to each question. */
export function severalPipeline(cwd: string): string {
  fs.writeFileSync(
    path.join(cwd, 'several.ts'),
    `import { z } from 'zod';
import { pipeline } from 'distilog';
import { languageModel, textGeneration } from 'distilog/llm';

export default pipeline('several', { params: z.object({ rows: z.int() }) }, ({ source, params }) => {
  const rows = Array.from({ length: params.rows }, (_, n) => ({ instruction: \`Explain matter \${n} to a child.\` }));
  const asked = source('questions', { output: z.object({ instruction: z.string() }), rows });
  const answers = textGeneration({ model: languageModel('left', { temperature: 1 }), numGenerations: 4 });
  return { answers: asked.map('answers', answers, { concurrency: 3, timeoutMs: 4000, retry: { attempts: 40, backoffMs: 50 } }) };
});
`,
  );
  return 'several.ts';
}
