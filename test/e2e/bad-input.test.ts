import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { distilog, start, finished, workFolder } from './command.ts';

const cwd = await workFolder();
const head = `import { z } from 'zod';\nimport { pipeline, secret } from 'distilog';\n`;
const rows = `source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 2 }] })`;

function file(name: string, text: string): string {
  fs.writeFileSync(path.join(cwd, name), text);
  return name;
}

const good = file(
  'good.ts',
  `${head}export default pipeline('good', ({ source }) => { ${rows}.map('twice', { output: z.object({ twice: z.int() }), run: ({ n }) => ({ twice: 2 * n }) }); });`,
);
/** A pipeline in a package whose files are no modules, as `npm init` leaves it. */
function commonJs(folder: string): string {
  fs.mkdirSync(path.join(cwd, folder));
  fs.writeFileSync(path.join(cwd, folder, 'package.json'), '{ "type": "commonjs" }');
  return file(`${folder}/pipeline.ts`, `${head}export default pipeline('old', ({ source }) => { ${rows}; });`);
}
const define = (name: string, body: string) =>
  file(`${name}.ts`, `${head}export default pipeline('${name}', ({ source }) => { ${body} });`);

/** Wrong input: what is run, and what the sentence must say. */
const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no such file', ['run', 'not-there.ts'], /no file not-there\.ts/],
  ['a folder', ['run', '.'], /is a folder/],
  ['a package of the old kind', ['run', commonJs('old')], /old\/pipeline\.ts is an ES module, but [\s\S]*npm pkg set type=module/],
  [
    'a file that does not compile',
    ['run', file('broken.ts', `${head}export default pipeline('x', ({ source }) => {`)],
    /broken\.ts.*does not compile/,
  ],
  [
    'a file that throws while loading',
    ['run', file('throws.ts', `${head}\nthrow new Error('not today');`)],
    /throws\.ts:\d+ threw while it was loaded: not today/,
  ],
  [
    'a file that exports no pipeline',
    ['run', file('none.ts', `export const something = 1;`)],
    /none\.ts exports no pipeline, only something/,
  ],
  ['an import that is not there', ['run', file('import.ts', `import './missing.ts';\n${head}`)], /imports a module that does not exist/],
  [
    'a step name twice',
    ['run', define('twice', `const a = ${rows}; a.filter('x', { keep: () => true });\n a.filter('x', { keep: () => true });`)],
    /Step x \(twice\.ts:\d+\): two steps have this name; the first \(twice\.ts:3\)/,
  ],
  ['an empty step name', ['run', define('empty', `source('', { output: z.object({ n: z.int() }), rows: [] })`)], /cannot be a step's name/],
  [
    'an odd step name',
    ['run', define('odd', `source('a b/c', { output: z.object({ n: z.int() }), rows: [] })`)],
    /cannot be a step's name/,
  ],
  ['an unknown column', ['run', define('unknown', `${rows}.select('x', ['nope'])`)], /Step x .*no column nope; rows has n/],
  [
    'a column that exists',
    ['run', define('exists', `${rows}.map('x', { output: z.object({ n: z.int() }), run: () => ({ n: 1 }) })`)],
    /column n exists/,
  ],
  [
    'a schema with dates',
    ['run', define('dates', `source('x', { output: z.object({ at: z.date() }), rows: [] })`)],
    /column at is a Date: use z\.iso\.datetime\(\)/,
  ],
  [
    'a schema that ends in a transform',
    ['run', define('transforms', `source('x', { output: z.object({ t: z.string().transform((s) => s.length) }), rows: [] })`)],
    /column t .*pipe/,
  ],
  [
    'an optional column',
    ['run', define('optional', `source('x', { output: z.object({ t: z.string().optional() }), rows: [] })`)],
    /column t may be missing.*nullable/,
  ],
  ['no step at all', ['run', define('nothing', ``)], /has no step/],
  [
    'batchSize 0',
    ['run', define('zero', `source('x', { output: z.object({ n: z.int() }), rows: [], batchSize: 0 })`)],
    /batchSize must be a whole number/,
  ],
  ['an unknown param', ['run', good, '--param', 'x=1'], /no param x/],
  [
    'a param of the wrong type',
    [
      'run',
      file('param.ts', `${head}export default pipeline('param', { params: z.object({ limit: z.int() }) }, ({ source }) => { ${rows} });`),
      '--param',
      'limit=many',
    ],
    /Param limit: .*got "many"/,
  ],
  ['a missing param', ['run', 'param.ts'], /Param limit is missing/],
  [
    'a secret that is not set',
    [
      'run',
      file(
        'secret.ts',
        `${head}export default pipeline('secret', { params: z.object({ apiKey: secret() }) }, ({ source }) => { ${rows} });`,
      ),
    ],
    /DISTILOG_PARAM_API_KEY/,
  ],
  ['a run that is not there', ['status', 'nobody'], /No run in this store has the id nobody/],
  ['a place before the first event', ['status', '--at', '2001-01-01'], /its first was recorded at \d/],
  ['a place beyond the head', ['status', '--at', '999999'], /its last is \d+/],
  ['no place at all', ['status', '--at', 'yesterdayish'], /is not a position or time/],
  ['an unknown step', ['distiset', '--step', 'nope'], /has no step nope/],
  ['an unknown event', ['log', '--type', 'Nope'], /no event type Nope/],
  ['a concurrency that is none', ['run', good, '--concurrency', 'twice=fast'], /Write --concurrency step=n/],
  ['an unknown command', ['fly'], /unknown command/],
  ['an unknown option', ['runs', '--fast'], /unknown option/],
  ['a format that is none', ['distiset', '--format', 'xlsx'], /Allowed choices/],
  ['a store that is none', ['runs', '--store', 'mysql://x'], /keeps its log in PostgreSQL/],
];

describe('wrong input', async () => {
  const first = await distilog(['run', good], { cwd });
  it('starts with a good run', () => {
    expect(first).toMatchObject({ code: 0 });
  });

  it.concurrent.each(cases)('%s is answered with a sentence and exit code 2', async (_name, args, says) => {
    const { code, stderr } = await distilog(args, { cwd });
    expect(stderr).toMatch(says);
    expect(stderr, 'no bare stack').not.toMatch(/\n\s+at /);
    expect(stderr, 'no password').not.toContain('geheim');
    expect(code).toBe(2);
  });
});

describe('a failure that no other arguments can fix', () => {
  it('is exit code 1 if the server does not answer', async () => {
    const { code, stderr } = await distilog(['runs', '--store', 'postgres://u:geheim@127.0.0.1:1/x'], { cwd });
    expect(stderr).toMatch(/^error\[[a-z-]+\]: .*127\.0\.0\.1:1.*does not answer.*Start the server, or name another one with --store\.$/m);
    expect(stderr, 'no password').not.toContain('geheim');
    expect(stderr, 'no bare stack').not.toMatch(/\n\s+at /);
    expect(code).toBe(1);
  });

  it('is a stack, a request to report it and exit code 1 if distilog has a bug', async () => {
    const own = await workFolder();
    const broken = path.join(own, 'broken.mjs');
    fs.writeFileSync(broken, `process.cwd = () => { throw new TypeError('a planted bug'); };`);
    const { code, stderr } = await distilog(['runs'], { cwd: own, env: { NODE_OPTIONS: `--import ${broken}` } });
    expect(stderr).toMatch(/^error: TypeError: a planted bug\n\s+at [\s\S]*\n *This is a bug in distilog\. Report it .*\n$/);
    expect(code).toBe(1);
  });
});

describe('an export', () => {
  it('overwrites nothing, and leaves nothing behind if it cannot write', async () => {
    fs.mkdirSync(path.join(cwd, 'there'));
    fs.writeFileSync(path.join(cwd, 'file'), '');
    expect(await distilog(['distiset', '--out', 'there'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/there exists already/) as string,
    });
    expect(await distilog(['distiset', '--out', 'file'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/file is a file/) as string,
    });
    expect(await distilog(['distiset', '--out', 'no/such/parent'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/does not exist/) as string,
    });
    expect(fs.readdirSync(cwd).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

/** Steps that misbehave, row by row: the cause that each row is rejected with. The other rows arrive. */
const misbehaviours: readonly (readonly [string, string, string])[] = [
  ['returns a wrong type', `({ out: 'text' })`, 'invalid-output'],
  ['returns undefined', `undefined`, 'invalid-output'],
  ['returns a Date', `({ out: new Date() })`, 'invalid-output'],
  ['returns NaN', `({ out: NaN })`, 'invalid-output'],
  ['returns a BigInt', `({ out: 1n })`, 'invalid-output'],
  ['returns something circular', `(() => { const a: any = {}; a.a = a; return a; })()`, 'invalid-output'],
  ['throws what is no error', `(() => { throw 'a string'; })()`, 'thrown-string'],
  ['calls process.exit', `process.exit(7)`, 'process-exit'],
  ['never settles', `new Promise(() => {})`, 'timeout'],
];

describe('a step that misbehaves', () => {
  it.concurrent.each(misbehaviours)('that %s loses that row, with its cause', async (name, expression, code) => {
    const own = await workFolder();
    const body = `source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 2 }, { n: 3 }] })
      .map('step', { timeoutMs: 150, retry: { attempts: 2, backoffMs: 1 }, output: z.object({ out: z.number() }), run: ({ n }): any => (n === 2 ? ${expression} : { out: n }) });`;
    fs.writeFileSync(path.join(own, 'bad.ts'), `${head}export default pipeline('bad', ({ source }) => { ${body} });`);
    const run = await distilog(['run', 'bad.ts', '--json'], { cwd: own });
    expect(run.code, `${name}: ${run.stderr}`).toBe(3);
    const { rejected } = JSON.parse((await distilog(['errors', '--json'], { cwd: own })).stdout) as {
      rejected: { step: string; row: number; code: string; message: string }[];
    };
    expect(rejected).toMatchObject([{ step: 'step', row: 1, code }]);
    const { configs } = JSON.parse((await distilog(['distiset', '--json'], { cwd: own })).stdout) as { configs: { rows: number }[] };
    expect(configs[0]?.rows).toBe(2);
  });

  it('that floods standard output does not affect the output of the command', async () => {
    const own = await workFolder();
    fs.writeFileSync(
      path.join(own, 'loud.ts'),
      `${head}export default pipeline('loud', ({ source }) => { ${rows}.map('step', { output: z.object({ out: z.int() }), run: ({ n }) => { for (let i = 0; i < 1000; i++) console.log('noise'); return { out: n }; } }); });`,
    );
    const { code, stdout, stderr } = await distilog(['run', 'loud.ts', '--json'], { cwd: own });
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => Object.keys(JSON.parse(line) as object)),
    ).toEqual([['runId'], ['runId', 'outcome', 'position']]);
    expect(stderr).toContain('noise');
  });
});

/** Sources that misbehave. */
describe('a source', () => {
  const run = async (text: string, exit: number) => {
    const own = await workFolder();
    fs.writeFileSync(
      path.join(own, 'source.ts'),
      `${head}export default pipeline('source', ({ source }) => { source('rows', { output: z.object({ n: z.int() }), retry: { attempts: 2, backoffMs: 1 }, ${text} }); });`,
    );
    const { code, stderr } = await distilog(['run', 'source.ts', '--json'], { cwd: own });
    expect(code, stderr).toBe(exit);
    return JSON.parse((await distilog(['distiset', '--json'], { cwd: own })).stdout) as { configs: { rows: number; state: string }[] };
  };

  it('that throws at item 1,000 delivers the items before it', async () => {
    const { configs } = await run(
      `read: function* ({ offset }) { for (let n = offset; ; n++) { if (n === 1000) throw new Error('torn page'); yield { n }; } }`,
      1,
    );
    expect(configs).toMatchObject([{ rows: 1000, state: 'failed' }]);
  });

  it('that yields nothing makes an empty dataset', async () => {
    const { configs } = await run(`read: () => []`, 0);
    expect(configs).toMatchObject([{ rows: 0, state: 'finished' }]);
  });

  it('that yields something other than an object loses that item', async () => {
    const { configs } = await run(`rows: [{ n: 1 }, 2, null, { n: 4 }] as never`, 3);
    expect(configs).toMatchObject([{ rows: 2 }]);
  });
});

describe('a run', () => {
  it('that is driven cannot be resumed by another process, and a signal pauses it', async () => {
    const own = await workFolder();
    fs.writeFileSync(
      path.join(own, 'slow.ts'),
      `import { existsSync } from 'node:fs';\nimport { setTimeout as sleep } from 'node:timers/promises';\n${head}export default pipeline('slow', ({ source }) => { source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 400 }, (_, n) => ({ n })), batchSize: 10 }).map('step', { concurrency: 1, output: z.object({ out: z.int() }), run: async ({ n }, { untimed }) => { while (n >= 50 && !existsSync('go')) await untimed((signal) => sleep(20, undefined, { signal })); return { out: n }; } }); });`,
    );
    const child = start(['run', 'slow.ts', '--json'], { cwd: own });
    const ended = finished(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    const refused = await distilog(['resume'], { cwd: own });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/is driven by .*process \d+, since/) as string });
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 4, stdout: expect.stringContaining('"outcome":"paused"') as string });
    fs.writeFileSync(path.join(own, 'slow.ts'), fs.readFileSync(path.join(own, 'slow.ts'), 'utf8').replace('out: n }', 'out: n + 1 }'));
    expect(await distilog(['resume'], { cwd: own })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /out: n \+ 1[\s\S]*The code in slow\.ts has changed since [\s\S]*The changed code was not loaded/,
      ) as string,
    });
    expect(await distilog(['resume', 'slow.ts'], { cwd: own })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/changed: code[\s\S]*--accept-changes/) as string,
    });
    fs.writeFileSync(path.join(own, 'go'), '');
    expect((await distilog(['resume', '--accept-changes', '--json'], { cwd: own })).code).toBe(0);
    expect(await distilog(['resume'], { cwd: own })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/is over \(succeeded\)/) as string,
    });
  });

  it('survives a pipe that is closed early', async () => {
    const child = start(['log'], { cwd });
    child.stdout?.once('data', () => child.stdout?.destroy());
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(0);
  });
});
