import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../postgres/server.ts';
import { distilog, finished, embeddedFolder } from './command.ts';
import { commandLines, document, root } from './document.ts';
import { spawn } from 'node:child_process';

const readme = document('README.md');
const [pipelineFile = '', testFile = '', libraryFile = ''] = readme.of('ts');
const [clone = '', install = '', commands = '', server = ''] = readme.of('sh');
const cwd = embeddedFolder();

describe('the README', () => {
  it('explains right below its summary how to run the demo and the tests in a clone, and how long each takes', () => {
    const firstScreen = readme.text.slice(0, readme.text.indexOf('\n## '));
    expect(firstScreen.indexOf(clone)).toBeGreaterThan(0);
    expect(firstScreen.indexOf('```')).toBe(firstScreen.indexOf(clone) - '```sh\n'.length);
    const lines = commandLines(clone);
    expect(lines.map(({ words }) => words.join(' '))).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
    for (const { remark } of lines) expect(remark).toMatch(/\d+ (seconds|minutes)/);
    const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    for (const name of ['demo', 'test']) {
      const [, file = ''] = (scripts[name] ?? '').split(' ');
      expect(fs.existsSync(path.join(root, file)), name).toBe(true);
    }
  });

  it('has a pipeline, a test of it and a use of the library that compile', () => {
    const folder = fs.mkdtempSync(path.join(root, 'test/e2e/.readme-'));
    try {
      fs.writeFileSync(path.join(folder, 'pipeline.ts'), pipelineFile);
      fs.writeFileSync(path.join(folder, 'pipeline.test.ts'), testFile);
      fs.writeFileSync(path.join(folder, 'library.ts'), libraryFile);
      fs.writeFileSync(
        path.join(folder, 'tsconfig.json'),
        JSON.stringify({ extends: '../../../tsconfig.json', compilerOptions: { rootDir: '../../..' }, include: ['*.ts'] }),
      );
      const { status, stdout } = spawnSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
        encoding: 'utf8',
      });
      expect(stdout).toBe('');
      expect(status).toBe(0);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('has commands that work, in their order', async () => {
    fs.writeFileSync(path.join(cwd, 'pipeline.ts'), pipelineFile);
    const lines = commandLines(commands);
    expect(lines.length).toBeGreaterThan(5);
    for (const { line, words } of lines) {
      const [npx, name, ...args] = words;
      expect([npx, name]).toEqual(['npx', 'distilog']);
      const { code, stderr } = await distilog(args, { cwd });
      expect(code, `${line}: ${stderr}`).toBe(0);
    }
    expect(fs.readdirSync(path.join(cwd, 'dataset')).sort()).toEqual(['README.md', 'distilog.json', 'long', 'short']);
  });

  it('has a test of the pipeline that passes', () => {
    fs.writeFileSync(path.join(cwd, 'pipeline.ts'), pipelineFile);
    fs.writeFileSync(path.join(cwd, 'pipeline.test.ts'), testFile);
    const { status, stdout } = spawnSync(process.execPath, ['--no-warnings', '--test', 'pipeline.test.ts'], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
    });
    expect(status, stdout).toBe(0);
    expect(stdout).toMatch(/pass 1\b/);
  });

  it('has a use of the library that runs', async () => {
    fs.writeFileSync(path.join(cwd, 'library.ts'), libraryFile);
    const child = spawn(process.execPath, ['--no-warnings', 'library.ts'], {
      cwd,
      env: { ...process.env, DATABASE_URL: '', DISTILOG_STORE: '', NODE_OPTIONS: '' },
    });
    const { code, stdout, stderr } = await finished(child);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/short Lima[\s\S]*succeeded \d+/);
  });

  it('describes how to set up a server, and the steps work', async () => {
    expect(install).toContain('npm install distilog');
    expect(server).toContain('npx distilog db migrate');
    const database = await testDatabase({ isMigrated: false });
    const { host, user, password, database: name, port } = database.owner();
    const store =
      `postgres://${user}:${encodeURIComponent(String(password))}@localhost:${port}/${name}${host?.startsWith('/') ? `?host=${encodeURIComponent(host)}` : ''}`.replace(
        'localhost',
        host?.startsWith('/') ? 'localhost' : String(host),
      );
    const env = { DISTILOG_STORE: store };
    expect(await distilog(['runs'], { cwd, env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('distilog db migrate') as string,
    });
    expect((await distilog(['db', 'migrate', '--dry-run'], { cwd, env })).stdout).toContain('create table distilog.events');
    expect(await distilog(['runs'], { cwd, env })).toMatchObject({ code: 2 });
    expect(await distilog(['db', 'migrate'], { cwd, env })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Applied 0001-log') as string,
    });
    expect(await distilog(['run', 'pipeline.ts'], { cwd, env })).toMatchObject({ code: 0 });
    expect(await distilog(['db', 'migrate'], { cwd, env })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing to do') as string,
    });
  });
});
