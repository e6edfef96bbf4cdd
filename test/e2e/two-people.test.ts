import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { ChildProcess } from 'node:child_process';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { urlOf, type Connect } from '../../src/postgres/index.ts';
import { testDatabase } from '../postgres/server.ts';
import { canPlayOthers, distilog, finished, json, killGroup, start, workFolder, type Person, type Result } from './command.ts';

const database = await testDatabase();
const cwd = await workFolder();
const me = os.userInfo().username;
const ann: Person = { user: canPlayOthers ? 'daemon' : me, uid: 1, host: canPlayOthers ? 'ann-laptop' : os.hostname() };
const bob: Person = { user: canPlayOthers ? 'nobody' : me, uid: 65_534, host: canPlayOthers ? 'bob-server' : os.hostname() };
/** What distilog remembers about a person. */
const stateOf = ({ uid }: Person): Readonly<Record<string, string>> => {
  const state = path.join(cwd, `state-${uid}`);
  fs.mkdirSync(state, { recursive: true });
  if (canPlayOthers) fs.chownSync(state, uid, uid);
  return { XDG_STATE_HOME: state };
};
const name = ({ user, host }: Person): string => `${user}@${host}`;

/** A port of this process: the socket of an embedded server lies where only its own user may go. */
async function portTo({ host, port }: pg.Client): Promise<number> {
  const place = host.startsWith('/') ? { path: path.join(host, `.s.PGSQL.${port}`) } : { host, port };
  const server = net.createServer((client) => {
    const there = net.connect(place);
    for (const [one, another] of [
      [client, there],
      [there, client],
    ] as const) {
      one.pipe(another);
      one.on('error', () => another.destroy()).on('close', () => another.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}
const port = await portTo(new pg.Client(database.owner()));

const url = (connect: Connect, login: { readonly user?: string; readonly password?: string } = {}): string => {
  const { user, password, database: named } = new pg.Client({ ...connect(), ...login });
  return urlOf({ host: '127.0.0.1', port, user: user ?? '', password: String(password), database: named ?? '' });
};
const env = { DISTILOG_STORE: url(database.app) };

fs.writeFileSync(
  path.join(cwd, 'slow.ts'),
  `import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { pipeline } from 'distilog';
const { GATE: gate } = process.env;
export default pipeline('slow', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 120 }, (_, n) => ({ n })), batchSize: 20 })
    .map('step', { concurrency: 1, output: z.object({ out: z.int() }), run: async ({ n }, { usage, untimed }) => {
      while (n >= 20 && gate && !existsSync(gate)) await untimed((signal) => sleep(20, undefined, { signal }));
      usage({ model: 'm', inputTokens: 1, outputTokens: 1 });
      return { out: n };
    } });
});`,
);

interface Held {
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
  /** Lets the run go on. */
  release(): void;
}
interface Started extends Held {
  readonly runId: string;
}

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) killGroup(child);
});

/** Starts a command whose run is held from its 20th row on. */
function hold(args: readonly string[], as: Person): Held {
  const gate = path.join(cwd, `gate-${children.length}`);
  const child = start([...args, '--json'], { cwd, as, env: { ...env, ...stateOf(as), GATE: gate } });
  children.push(child);
  return { child, ended: finished(child), release: () => fs.writeFileSync(gate, '') };
}

/** The same, and waits until it has its run. */
async function begin(args: readonly string[], as: Person): Promise<Started> {
  const held = hold(args, as);
  const { child, ended } = held;
  const runId = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (text: string) => resolve((JSON.parse(text.split('\n')[0] ?? '') as { runId: string }).runId));
    void ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { ...held, runId };
}

/** Until its first batch of calls is under way. */
const underWay = (runId: string) =>
  expect
    .poll(
      async () =>
        (await database.sql(`select from distilog.events where log_id = $1 and type = 'BatchStarted' and step = 'step'`, [runId])).rowCount,
    )
    .toBeGreaterThan(0);

const all = (as: Person, args: readonly string[]): Promise<Result> => distilog(args, { cwd, as, env: { ...env, ...stateOf(as) } });

interface Writer {
  readonly writer: string;
  readonly epoch: number;
}
const writersOf = async (runId: string): Promise<readonly Writer[]> =>
  (await database.sql(`select writer, epoch::int from distilog.commits where log_id = $1 order by first`, [runId])).rows as Writer[];

describe('two people on one store', () => {
  it('drive a run each, and see who drives the other run and since when', async () => {
    const [hers, his] = await Promise.all([begin(['run', 'slow.ts'], ann), begin(['run', 'slow.ts'], bob)]);
    const { runs } = await json<{ runs: { runId: string; driver: string; drivenSince: string; interrupted: boolean }[] }>(['runs'], {
      cwd,
      as: bob,
      env,
    });
    for (const [{ runId }, person] of [
      [hers, ann],
      [his, bob],
    ] as const) {
      const listed = runs.find((run) => run.runId === runId);
      expect(listed).toMatchObject({ interrupted: false, drivenSince: expect.stringMatching(/Z$/) as string });
      expect(listed?.driver.startsWith(`${name(person)}:`)).toBe(true);
    }
    expect((await all(bob, ['runs'])).stdout).toMatch(new RegExp(`${name(ann)}:\\d+, since \\d+ seconds? ago`));
    expect((await all(bob, ['status', hers.runId])).stdout).toMatch(
      new RegExp(`running, driven by ${name(ann)}, process \\d+, since .* \\(\\d+ seconds? ago\\)`),
    );
    for (const { child } of [hers, his]) child.kill('SIGTERM');
    expect((await Promise.all([hers.ended, his.ended])).map(({ code }) => code)).toEqual([4, 4]);
  });

  it('cannot resume the other’s run, but can take it over; the other process then ends with a message and appends no more', async () => {
    const hers = await begin(['run', 'slow.ts'], ann);
    await underWay(hers.runId);
    expect(await all(bob, ['resume', hers.runId, 'slow.ts'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        new RegExp(`is driven by ${name(ann)}, process \\d+, since .* \\(\\d+ seconds? ago\\).*--take-over`),
      ) as string,
    });
    const his = await begin(['resume', hers.runId, 'slow.ts', '--take-over'], bob);
    hers.release();
    const lost = await hers.ended;
    expect(lost.stderr).toMatch(new RegExp(`was taken over by ${name(bob)}:\\d+\\. This process has stopped`));
    expect(lost.stderr).not.toMatch(/\n\s+at /);
    expect(lost.code).toBe(1);
    his.child.kill('SIGTERM');
    expect((await his.ended).code).toBe(4);
    const writers = await writersOf(hers.runId);
    expect(writers.every(({ writer, epoch }) => writer.startsWith(`${name(epoch === 1 ? ann : bob)}:`))).toBe(true);
    expect(new Set(writers.map(({ epoch }) => epoch))).toEqual(new Set([1, 2]));
    expect(await json(['verify', hers.runId], { cwd, env })).toMatchObject({ ok: true });
  });

  it('load no file of each other’s run unless they name it', async () => {
    const hers = await begin(['run', 'slow.ts'], ann);
    await underWay(hers.runId);
    hers.child.kill('SIGTERM');
    await hers.ended;
    expect(await all(bob, ['resume', hers.runId])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `It was not loaded, because loading it runs its code and you have not driven this run on this machine. If you trust the file, name it: distilog resume ${hers.runId} slow.ts`,
      ) as string,
    });
    expect((await all(bob, ['resume', hers.runId, 'slow.ts'])).code).toBe(0);
  });

  it('see since when a run is interrupted and who drove it; of two concurrent resumes one wins', async () => {
    const hers = await begin(['run', 'slow.ts'], ann);
    await underWay(hers.runId);
    killGroup(hers.child);
    await hers.ended;
    await expect
      .poll(async () => (await json<{ interrupted: boolean }>(['status', hers.runId], { cwd, as: bob, env })).interrupted)
      .toBe(true);
    expect((await all(bob, ['status', hers.runId])).stdout).toMatch(
      new RegExp(`interrupted since .* \\(\\d+ seconds? ago\\): no process drives it \\(last: ${name(ann)}:\\d+\\)`),
    );
    expect((await all(bob, ['runs'])).stdout).toMatch(
      new RegExp(`${hers.runId}.*interrupted.*none; last ${name(ann)}:\\d+, \\d+ seconds? ago`),
    );
    const rivals = [ann, bob].map((person) => hold(['resume', hers.runId, 'slow.ts'], person));
    await Promise.race(rivals.map(({ ended }) => ended));
    for (const { release } of rivals) release();
    const results = await Promise.all(rivals.map(({ ended }) => ended));
    expect(new Set(results.map(({ code }) => code))).toEqual(new Set([0, 2]));
    expect(results.find(({ code }) => code === 2)?.stderr).toMatch(/is driven by/);
    expect(new Set((await writersOf(hers.runId)).map(({ epoch }) => epoch))).toEqual(new Set([1, 2]));
  });
});

describe.runIf(database.hasRoles)('on a server with roles', () => {
  const { database: own = '' } = database.owner();
  const reader = `reader_${own}`;
  const other = `other_${own}`;

  afterAll(async () => {
    await database.sql(`drop owned by ${reader}, ${other}; drop role ${reader}, ${other}`);
  });

  it('a read-only login can look, and its writes are refused with a message; a barred login gets a message', async () => {
    await database.sql(`create role ${reader} login password 'r'; create role ${other} login password 'o'; grant distilog_app to ${other};
      grant usage on schema distilog to ${reader}; grant select on all tables in schema distilog to ${reader}`);
    const looking = { DISTILOG_STORE: url(database.owner, { user: reader, password: 'r' }) };
    expect(await distilog(['runs'], { cwd, env: looking })).toMatchObject({ code: 0 });
    const refused = await distilog(['run', 'slow.ts'], { cwd, env: looking });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/denied access: permission denied/) as string });
    expect(refused.stderr).not.toMatch(/\n\s+at /);
    const wrong = { DISTILOG_STORE: url(database.owner, { user: reader, password: 'not-to-be-shown' }) };
    const barred = await distilog(['runs'], { cwd, env: wrong });
    expect(barred).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/refused the login of reader_\w+\. Check user and password/) as string,
    });
    expect(barred.stderr).not.toContain('not-to-be-shown');
  });

  it('another role sees who drives a run and since when, and its takeover is refused with a message', async () => {
    const hers = await begin(['run', 'slow.ts'], ann);
    await underWay(hers.runId);
    const store = { DISTILOG_STORE: url(database.owner, { user: other, password: 'o' }) };
    expect(await distilog(['resume', hers.runId, 'slow.ts'], { cwd, as: bob, env: store })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(new RegExp(`is driven by ${name(ann)}, process \\d+, since .* \\(\\d+ seconds? ago\\)`)) as string,
    });
    const refused = await distilog(['resume', hers.runId, 'slow.ts', '--take-over'], { cwd, as: bob, env: store });
    // A member of the driver's role may end its connections: only a stranger may not.
    hers.release();
    if (refused.code === 0) expect((await hers.ended).code).toBe(1);
    else
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/logged in as another role.*pg_signal_backend/) as string });
    killGroup(hers.child);
  });
});
