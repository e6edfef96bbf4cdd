import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startLlmServer, type LlmServer } from '../llm-server/server.ts';
import { billed } from '../unit/llm/providers.ts';
import { distilog, json, workFolder } from './command.ts';

const cwd = await workFolder();
const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** A judge's ratings, in the order in which it is asked; the server's own, where there are none. */
let ratings: (readonly [number, number])[];
let server: LlmServer;
beforeEach(async () => {
  ratings = [];
  server = await startLlmServer({
    answer: ({ request }) => {
      const rated = JSON.stringify(request.response_format ?? {}).includes('verdicts') ? ratings.shift() : undefined;
      return rated && JSON.stringify({ verdicts: rated.map((rating) => ({ rationale: 'So it is.', rating })) });
    },
  });
});
afterEach(() => server.close());

/** What the provider has billed, as a run's status says it. */
function bill() {
  const { calls, inputTokens, outputTokens } = billed(server);
  return { calls, inputTokens, outputTokens };
}

/** Runs an example as a user with their own server would, and returns the rows of each leaf, and what its status says. */
async function ran(example: string, ...params: readonly string[]) {
  const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'none' };
  const given = params.flatMap((param) => ['--param', param]);
  const { code, stderr } = await distilog(['run', path.join(examples, example), '--seed', '7', ...given], { cwd, env });
  expect(code, stderr).toBe(0);
  const out = path.join(cwd, path.basename(example, '.ts'));
  expect(await distilog(['distiset', '--format', 'jsonl', '--out', out], { cwd })).toMatchObject({ code: 0 });
  const status = await json<{ usage: Record<string, number> }>(['status'], { cwd });
  const configs = fs.readdirSync(out, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const rows = Object.fromEntries(configs.map(({ name }) => [name, linesOf(path.join(out, name))]));
  return { rows, usage: status.usage };
}

/** A row of any of the examples. */
interface Row {
  readonly [column: string]: unknown;
  readonly id?: number;
  readonly rating?: number;
  readonly chosen?: readonly { readonly role: string; readonly content: string }[];
  readonly chosen_rating?: number;
  readonly rejected_rating?: number;
}

const linesOf = (folder: string): readonly Row[] =>
  fs.readdirSync(folder).flatMap((file) =>
    fs
      .readFileSync(path.join(folder, file), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row),
  );

describe('the examples', () => {
  it('instruct: the better of two answers to each question, kept apart by its rating', async () => {
    const { rows, usage } = await ran('instruct.ts', 'limit=4');
    expect(Object.keys(rows)).toEqual(['quality-good', 'quality-poor']);
    const { 'quality-good': good = [], 'quality-poor': poor = [] } = rows;
    expect(good.length + poor.length).toBe(4 * 3);
    for (const { rating } of good) expect(rating).toBeGreaterThanOrEqual(4);
    for (const { rating } of poor) expect(rating).toBeLessThan(4);
    expect(Object.keys(good[0] ?? {})).toEqual(['topic', 'instruction', 'generation', 'rating', 'modelName']);
    // An idea list a topic, two answers and a verdict a question.
    expect(usage).toMatchObject(bill());
    expect(usage['calls']).toBe(4 + 12 * 3);
  });

  it('preference: what two models answered, as chosen and rejected', async () => {
    ratings = [
      [5, 2],
      [1, 4],
      [3, 3],
      [2, 1],
      [4, 5],
      [5, 1],
    ];
    const { rows, usage } = await ran('preference.ts', 'first=tiny', 'second=small', 'referee=large');
    const { data = [] } = rows;
    expect(data).toHaveLength(5);
    for (const pair of data) {
      expect(pair.chosen_rating).toBeGreaterThan(pair.rejected_rating ?? 5);
      expect(new Set([pair['chosen_model'], pair['rejected_model']])).toEqual(new Set(['tiny', 'small']));
      expect(pair.chosen?.map(({ role }) => role)).toEqual(['user', 'assistant']);
      expect(pair.chosen?.[0]?.content).toBe(pair['prompt']);
    }
    expect(usage).toMatchObject(bill());
    expect(usage['calls']).toBe(6 * 3);
  });

  it('own-file: each row of the file unchanged, with the answers of a model', async () => {
    const { rows, usage } = await ran('own-file.ts', `baseURL=${server.url}`, 'model=tiny');
    const { data = [] } = rows;
    expect(data.map(({ id }) => id)).toEqual([1, 2, 3, 5, 6, 7, 8]);
    expect(data[3]).toMatchObject({ product: 'umbrella', review: 'Survived two storms.\nThe third one took it.', stars: 3 });
    for (const { sentiment, wouldBuyAgain, summary } of data) {
      expect(['positive', 'mixed', 'negative']).toContain(sentiment);
      expect([typeof wouldBuyAgain, typeof summary]).toEqual(['boolean', 'string']);
    }
    expect(server.requests[0]?.messages[0]?.content).toContain('A customer wrote about a kettle:\n\nBoils fast');
    expect(usage).toMatchObject(bill());
    expect(usage['calls']).toBe(7);
  });
});
