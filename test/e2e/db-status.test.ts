import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Connect } from '../../src/postgres/index.ts';
import { testDatabase, urlFor } from '../postgres/server.ts';
import { distilog, json, embeddedFolder } from './command.ts';

const database = await testDatabase();
const cwd = embeddedFolder();
const of = async (connect: Connect) => (await distilog(['db', 'status', '--store', urlFor(connect)], { cwd })).stdout;

describe('db status', () => {
  it('describes a folder’s embedded store, and starts nothing', async () => {
    expect((await distilog(['db', 'status'], { cwd })).stdout).toMatch(/embedded, in \.distilog of .*\nserver +not running/);
    expect(fs.existsSync(path.join(cwd, '.distilog'))).toBe(false);
    // So that the server is still there at the second command, on a slow machine, too.
    await distilog(['runs'], { cwd, env: { DISTILOG_IDLE_MS: '600000' } });
    const { code, stdout } = await distilog(['db', 'status'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /PostgreSQL 18\.\d+ at socket[\s\S]*supervisor +process \d+\nclients +0 other distilog processes[\s\S]*current for this version/,
    );
    expect(stdout).toMatch(/append-only +by roles: distilog_app may append and cannot change anything\nfsync +on/);
  });

  it('reports a store that this user did not create there, which no command uses until it is trusted', async () => {
    const folder = embeddedFolder();
    fs.mkdirSync(path.join(folder, '.distilog/pg18'), { recursive: true });
    fs.writeFileSync(path.join(folder, '.distilog/pg18/postgresql.auto.conf'), `archive_command = 'touch ${folder}/canary'\n`);
    for (const args of [['runs'], ['db', 'stop'], ['resume']]) {
      const { code, stdout, stderr } = await distilog(args, { cwd: folder });
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(
        `error[store-not-trusted]: The store in ${folder}/.distilog is not trusted, because this user did not create it here`,
      );
      expect(stderr).toContain(`distilog db trust ${folder}`);
    }
    expect(await distilog(['db', 'status'], { cwd: folder })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/trust +not trusted/),
    });
    expect(await json(['db', 'status'], { cwd: folder })).toMatchObject({ isEmbedded: true, trust: 'foreign', isUp: false });
    const trusted = await distilog(['db', 'trust', folder], { cwd });
    expect(trusted).toMatchObject({ code: 0, stdout: `Trusted: ${folder}/.distilog, at this path, with all that it holds.\n` });
    expect(await json(['db', 'status'], { cwd: folder })).toMatchObject({ trust: 'trusted' });
    expect((await distilog(['db', 'trust'], { cwd: path.join(folder, 'node_modules') })).stderr).toMatch(/holds no store/);
    expect(fs.readdirSync(path.join(folder, '.distilog/pg18'))).toEqual(['postgresql.auto.conf']);
  });

  it('shows what named a server, and what protects its log', async () => {
    expect(await json(['db', 'status'], { cwd, env: { DATABASE_URL: urlFor(database.owner) } })).toMatchObject({
      isEmbedded: false,
      givenBy: 'DATABASE_URL',
      isUp: true,
      fsync: true,
      schema: { pending: [], newer: null },
      appendOnlyBy: 'trigger',
      guardsOff: [],
    });
    expect(await of(database.owner)).toMatch(/named by --store[\s\S]*by triggers only/);
    if (database.hasRoles) expect(await of(database.app)).toMatch(/by roles: distilog_app/);
  });

  it('reports disabled guards and a store that is not set up, and prints no password', async () => {
    await database.sql('alter table distilog.events disable trigger append_only');
    expect(await of(database.owner)).toMatch(/NOT PROTECTED: events\.append_only is switched off\n/);
    await database.sql('alter table distilog.events enable always trigger append_only');
    const empty = await testDatabase({ isMigrated: false });
    const stdout = await of(empty.owner);
    expect(stdout).toMatch(/not set up\. Run once: distilog db migrate/);
    expect(stdout).not.toContain(String(empty.owner().password));
  });

  it('allows a run with the owner’s login with one warning, and with the program’s role without a warning', async () => {
    const file = path.join(cwd, 'one.ts');
    fs.writeFileSync(
      file,
      `import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('one', ({ source }) => {
  source('all', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] });
});
`,
    );
    const fresh = await testDatabase();
    const run = async (connect: Connect) => await distilog(['run', file, '--json', '--store', urlFor(connect)], { cwd });
    const { code, stderr } = await run(fresh.owner);
    expect(code, stderr).toBe(0);
    expect(stderr.match(/^warning: .*owns the log.*$/gm)).toHaveLength(1);
    if (fresh.hasRoles) expect((await run(fresh.app)).stderr).not.toContain('warning');
  });
});
