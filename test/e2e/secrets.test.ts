// Keys that must be found nowhere: not in any table, chunk, file, export or line of output, however they are written and whichever part repeats them.
import fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { distilog, embeddedFolder, type Result } from './command.ts';

/** A secret param with characters that every encoding writes in its own way. */
const secret = 'sk-canary/+"7d1f0c93\\ab52e8 64=ü';
/** A model's key: only characters that a header may hold. */
const key = 'sk-canary/+key~41c0b7aa93de';
/** Of a server's address. */
const password = 'canary-password-5d0c';

const writtenForms = (text: string): readonly string[] => [
  text,
  JSON.stringify(text).slice(1, -1),
  encodeURIComponent(text),
  Buffer.from(text)
    .toString('base64')
    .replace(/..?=*$/, ''),
  Buffer.from(text).toString('base64url').replace(/..$/, ''),
  Buffer.from(`user:${text}`).toString('base64').slice(8, -4),
  Buffer.from(text).toString('hex'),
  new URLSearchParams({ v: text }).toString().slice(2),
  JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
  text.replaceAll(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`),
  Buffer.from(text, 'utf16le').toString('hex'),
  Buffer.from(text, 'utf16le').toString('base64').slice(0, -4),
];
const forms = [secret, key, password].flatMap(writtenForms);

/** The forms of canaries that stand in some bytes. */
const found = (bytes: Buffer | string): readonly string[] => forms.filter((form) => bytes.includes(form));

const cwd = embeddedFolder();
const said: { readonly command: string; readonly result: Result }[] = [];

const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Result> => {
  const result = await distilog(args, { cwd, env: { DISTILOG_PARAM_API_KEY: secret, ...env } });
  said.push({ command: args.join(' '), result });
  return result;
};

/** A provider that says the whole request again, key and all, in every way in which it can be refused. */
const provider = createServer((request, response) => {
  const authorization = request.headers.authorization ?? '';
  const echo = {
    error: { message: `${authorization} is ${JSON.stringify(authorization)} is ${encodeURIComponent(authorization)}`, code: authorization },
  };
  response.writeHead(400, { 'content-type': 'application/json', 'x-echo': encodeURIComponent(authorization) }).end(JSON.stringify(echo));
});
await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
afterAll(() => provider.close());
const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;

fs.writeFileSync(
  path.join(cwd, 'leaks.ts'),
  `import { z } from 'zod';
import { pipeline, resource, secret } from 'distilog';
import { languageModel, textGeneration } from 'distilog/llm';

export default pipeline('leaks', { params: z.object({ apiKey: secret() }) }, ({ source, params }) => {
  const { apiKey } = params;
  const all = source('all', {
    output: z.object({ n: z.int() }),
    rows: Array.from({ length: 16 }, (_, n) => ({ n })),
    count: () => { throw new Error('count: ' + apiKey); },
  });
  const coded = (code: string) => Object.assign(new Error('coded'), { code, retryable: false });
  const named = (name: string) => Object.assign(new Error('named'), { name, retryable: false });
  const ways = [
    () => { throw new Error('plain ' + apiKey); },
    () => { throw new Error('as JSON ' + JSON.stringify({ apiKey })); },
    () => { throw new Error('in a URL https://u:' + encodeURIComponent(apiKey) + '@host/?key=' + encodeURIComponent(apiKey)); },
    () => { throw new Error('Basic ' + Buffer.from('user:' + apiKey).toString('base64') + ' ' + Buffer.from(apiKey).toString('base64url')); },
    () => { throw new Error('in a form ' + new URLSearchParams({ key: apiKey }) + ' and JSON in JSON ' + JSON.stringify(JSON.stringify({ apiKey }))); },
    () => { throw new Error('in hex ' + Buffer.from(apiKey).toString('hex') + ' and HTML ' + apiKey.replaceAll(/[&<>"']/g, (each) => '&#' + each.charCodeAt(0) + ';')); },
    () => { throw new Error('as UTF-16 ' + Buffer.from(apiKey, 'utf16le').toString('base64') + ' ' + Buffer.from(apiKey, 'utf16le').toString('hex')); },
    () => ({ out: 'x'.repeat(70) + apiKey + 'x'.repeat(100) }),
    () => { throw coded(apiKey); },
    () => { throw named(apiKey); },
    () => { throw apiKey; },
    () => { throw { apiKey }; },
    () => { throw new Error('caused', { cause: new Error(apiKey) }); },
    () => ({ out: 1, [apiKey]: 1, ['x'.repeat(60) + apiKey]: 2 }),
    () => ({ out: apiKey }),
    () => ({ out: 1 }),
  ];
  all.map('leak', {
    retry: { attempts: 1 }, output: z.object({ out: z.number() }),
    run: ({ n }, { log, usage }): any => {
      log.info('with ' + apiKey, { header: 'Bearer ' + apiKey });
      log.warn(apiKey);
      usage({ model: 'model of ' + apiKey, finishReason: apiKey, prompt: 'use ' + apiKey });
      return ways[n]!();
    },
  });
  const echoing = resource('echo', () => { throw new Error('cannot open with ' + apiKey); });
  all.flatMap('made', { retry: { attempts: 1 }, output: z.object({ out: z.number() }), run: () => [{ out: apiKey }] as never });
  all.map('opened', { retry: { attempts: 2, backoffMs: 1 }, output: z.object({ opened: z.number() }),
    run: async (_row, { use }) => { await use(echoing); return { opened: 1 }; } });
  all.map('asked', textGeneration({ model: languageModel('canary-model', { baseURL: '${url}' }), prompt: 'Say {{ n }}.' }) as never);
  const broken = source('broken', { output: z.object({ m: z.int() }), retry: { attempts: 1 }, read: () => { throw new Error('source with ' + apiKey); } });
  broken.filter('none', { keep: () => true });
});
`,
);

/** Every value of every table, chunks as they were before compression. */
async function everythingStored(): Promise<readonly { readonly where: string; readonly bytes: Buffer }[]> {
  const { stdout } = await distilog(['db', 'url', '--admin'], { cwd });
  const client = new pg.Client({ connectionString: stdout.trim() });
  await client.connect();
  try {
    const { rows: tables } = await client.query(`select table_name from information_schema.tables where table_schema = 'distilog'`);
    const all: { where: string; bytes: Buffer }[] = [];
    for (const { table_name: table } of tables as { table_name: string }[]) {
      const { rows } = await client.query(`select t::text as row from distilog.${table} t`);
      for (const { row } of rows as { row: string }[]) all.push({ where: table, bytes: Buffer.from(row) });
    }
    const { rows: chunks } = await client.query('select codec, body from distilog.chunks');
    for (const { codec, body } of chunks as { codec: string; body: Buffer }[])
      all.push({ where: 'a chunk', bytes: codec === 'zstd' ? zstdDecompressSync(body) : body });
    await client.query('checkpoint');
    return all;
  } finally {
    await client.end();
  }
}

describe('secrets', () => {
  it('are refused in the address of a model, without being printed', async () => {
    fs.writeFileSync(
      path.join(cwd, 'address.ts'),
      `import { z } from 'zod';
import { pipeline } from 'distilog';
import { languageModel, textGeneration } from 'distilog/llm';
export default pipeline('address', ({ source }) => {
  source('all', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] })
    .map('asked', textGeneration({ model: languageModel('m', { baseURL: 'http://user:${password}@127.0.0.1:1/v1?key=${password}' }), prompt: '{{ n }}' }) as never);
});
`,
    );
    const { code, stdout, stderr } = await distilog(['run', 'address.ts'], { cwd });
    expect([code, found(stdout), found(stderr)]).toEqual([2, [], []]);
    expect(stderr).toContain('Pass the key by apiKeyEnv');
    fs.rmSync(path.join(cwd, 'address.ts'));
  });

  it('appear in no output and no file of a run, in any encoding', { timeout: 300_000 }, async () => {
    const withKey = { OPENAI_API_KEY: key };
    expect((await run(['run', 'leaks.ts', '--json', '--no-reject-limit'], withKey)).code).toBe(4);
    await run(['resume', '--no-reject-limit'], withKey);
    await run(['status'], { OPENAI_BASE_URL: `http://user:${password}@127.0.0.1:1/v1?key=${password}` });
    for (const args of [
      ['status', '--json'],
      ['errors', '--all', '--json', '--export', 'lost.jsonl'],
      ['log', '--json'],
      ['log', '--side', '--json'],
      ['history', 'leaks'],
      ['trace', 'leak:0', '--json'],
      ['sql', 'select * from history', '--json'],
      ['distiset', '--out', 'out', '--json'],
      ['distiset', '--step', 'leak', '--step', 'asked', '--format', 'jsonl', '--out', 'out-jsonl'],
      ['try', 'leaks.ts'],
      ['runs', '--store', `postgres://user:${password}@127.0.0.1:1/x`],
      ['run', 'leaks.ts', '--param', secret],
      ['run', 'leaks.ts', '--param', `apikey=${secret}`],
      ['log', '--side', '--json'],
    ])
      await run(args, withKey);
    for (const { command, result } of said) expect([command, found(result.stdout), found(result.stderr)]).toEqual([command, [], []]);
    const stored = await everythingStored();
    expect(stored.length).toBeGreaterThan(50);
    for (const { where, bytes } of stored)
      expect([where, found(bytes), bytes.toString().slice(0, found(bytes).length * 500)]).toEqual([where, [], '']);
    await run(['db', 'stop', '--force']);
    fs.rmSync(path.join(cwd, 'node_modules'), { recursive: true });
    const files = fs.readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(100);
    for (const { parentPath, name } of files) expect([name, found(fs.readFileSync(path.join(parentPath, name)))]).toEqual([name, []]);
  });
});
