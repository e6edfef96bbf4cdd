// Invalid input of the kinds that users give: positions and times, params, pipeline files.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { startPipeline } from '../../src/engine/index.ts';
import { memoryStore, parseAsOf, resolveAsOf } from '../../src/log/index.ts';
import { pipeline, plan, secret } from '../../src/pipeline/index.ts';
import { loadPipeline } from '../../src/cli/load-pipeline.ts';
import { parseConcurrency, parseParamOptions } from '../../src/cli/parse-params.ts';
import { randomFrom } from '../unit/random.ts';
import { assertFault, mutated } from './mutate.ts';

const times = [
  'head',
  '1',
  '90s',
  '5m',
  '2026-11-24',
  '2026-11-24T10:30',
  '2026-11-24 10:30:59.123456+02:00',
  '0001-01-01',
  '9999-12-31T23:59:60Z',
  '999999999d',
];
const options = [
  'limit=5',
  'limit=-1e400',
  'names=["a"]',
  'flag=true',
  'kind=left',
  'any={"a":1}',
  'key=x',
  '__proto__=1',
  'constructor=1',
  'any="\\u0000"',
  'names=["\\ud800"]',
  'limit=',
];

const params = z.object({
  limit: z.int().default(1),
  names: z.array(z.string()).optional(),
  flag: z.boolean().optional(),
  kind: z.enum(['left', 'right']).optional(),
  any: z.json().optional(),
  key: secret().optional(),
});
const withParams = pipeline('fuzzed', { params }, ({ source }) => {
  source('all', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] });
});

/** Reads random texts as positions, params and concurrency. Returns how many were accepted. */
export async function fuzzTexts(seed: number, count: number): Promise<string> {
  const random = randomFrom(seed);
  const text = (from: readonly string[]) =>
    random.chance(0.3) ? random.pick(from) : mutated(Buffer.from(random.pick(from)), random).toString();
  const store = memoryStore();
  const { runId } = await startPipeline(store, plan(withParams), { seed: 1 });
  let taken = 0;
  for (let each = 0; each < count; each++) {
    const asked = text(times);
    try {
      await resolveAsOf(store.log, runId, parseAsOf(asked, Date.now() * 1000));
      taken++;
    } catch (error) {
      assertFault(error, asked, ['not-an-as-of', 'as-of-before-start', 'as-of-beyond-head']);
    }
    const given = Array.from({ length: 1 + random.below(3) }, () => text(options));
    try {
      const planned = plan(withParams, { params: parseParamOptions(params, given, {}) });
      const run = await startPipeline(store, planned, { seed: 1 });
      // Every event must be queryable as jsonb, which cannot contain NUL.
      const stored = (await Array.fromAsync(store.log.storedEvents(run.runId, { from: 1, to: 1 }))).flat();
      assert(
        !stored.some(({ data }) => /(?<!\\)(\\\\)*\\u(0000|d[89a-f]..)/.test(data)),
        `params ${JSON.stringify(given)} cannot be queried`,
      );
      taken++;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assertFault(error, given, ['invalid-params']);
    }
    try {
      parseConcurrency(given);
    } catch (error) {
      assertFault(error, given, ['invalid-concurrency']);
    }
  }
  return `${count} (${taken} taken)`;
}

const good = `import { z } from 'zod';
import { pipeline } from 'distilog';

enum Kind { short, long }
export default pipeline('good', { params: z.object({ limit: z.int().default(3) }) }, ({ source, params, union }) => {
  const all = source('all', { output: z.object({ n: z.int(), text: z.string() }), batchSize: 10, rows: [{ n: params.limit, text: Kind[0] }] });
  const twice = all.map('twice', { output: z.object({ twice: z.int() }), run: ({ n }) => ({ twice: 2 * n }) });
  const some = twice.filter('some', { keep: ({ twice }) => twice > 2 }).select('pair', ['n', 'twice']);
  return { some: union('both', [some, all.drop('short', ['text'])]) };
});
`;

/** Returns a text in which one or two words replace others. If it still compiles, it is refused for its meaning. */
function otherWords(text: string, random: ReturnType<typeof randomFrom>): string {
  const words = text.match(/\w+/g) ?? [];
  let result = text;
  for (let times = 1 + random.below(2); times > 0; times--) {
    const at = random.below(words.length);
    let index = 0;
    result = result.replaceAll(/\w+/g, (word) => (index++ === at ? random.pick(words) : word));
  }
  return result;
}

/** Plans broken and random pipeline files. Returns how many could be planned. */
export async function fuzzPipelines(seed: number, count: number, folder: string): Promise<string> {
  const random = randomFrom(seed);
  const root = path.resolve(import.meta.dirname, '../..');
  fs.mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
  for (const [name, target] of [
    ['distilog', root],
    ['zod', path.join(root, 'node_modules/zod')],
  ] as const)
    if (!fs.existsSync(path.join(folder, 'node_modules', name))) fs.symlinkSync(target, path.join(folder, 'node_modules', name));
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  // Node reads a file without enums itself. A file with enums needs another loader.
  const plain = good.replace(/enum .*\n/, '').replace('Kind[0]', "'short'");
  let planned = 0;
  for (let each = 0; each < count; each++) {
    const extension = random.pick(['ts', 'ts', 'ts', 'mjs', 'js', 'json']);
    const file = path.join(folder, `pipeline-${seed}-${each}.${each === 0 ? 'ts' : extension}`);
    const noise = Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)));
    const text = Buffer.from(random.chance(0.2) ? good : plain);
    // The first file and some others stay unchanged. Otherwise all could be refused because of the folder, unnoticed.
    const altered = random.chance(0.5) ? otherWords(text.toString(), random) : mutated(text, random);
    const written = random.chance(0.1) ? noise : random.chance(0.1) ? text : altered;
    fs.writeFileSync(file, each === 0 ? text : written);
    try {
      const loaded = await loadPipeline(file);
      plan(loaded.pipeline, { sources: loaded.sources });
      planned++;
    } catch (error) {
      assertFault(error, fs.readFileSync(file, 'utf8'));
    }
    fs.rmSync(file);
  }
  assert(planned > 0, `seed ${seed}: no pipeline could be planned`);
  return `${count} (${planned} planned)`;
}
