import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { distilog, json, workFolder } from './command.ts';

const pipelineFile = `
import { z } from 'zod';
import { jsonl, pipeline } from 'distilog';
const odd = JSON.parse('{"__proto__":{"a":1},"toString":2}');
export default pipeline('odd', { params: z.object({ limits: z.record(z.string(), z.int()).default({}) }) }, ({ source }) => {
  const rows = source('rows', jsonl('rows.jsonl', { output: z.object({ n: z.int(), any: z.json(), scores: z.record(z.string(), z.int()) }) }));
  rows.map('made', {
    output: z.object({ made: z.json() }),
    captures: odd,
    run: ({ n, any }) => ({ made: n === 2 ? odd : any }),
  });
});
`;

const lines = [
  '{"n":1,"any":{"constructor":1,"toString":[2]},"scores":{"valueOf":3}}',
  '{"n":2,"any":null,"scores":{}}',
  '{"n":3,"any":[{"__proto__":1}],"scores":{}}',
  '{"n":4,"any":null,"scores":{"__proto__":1}}',
  '{"n":5,"any":null,"scores":{},"__proto__":{"n":6}}',
];

describe('keys called __proto__', () => {
  it('are kept, or reject their row with a message, from a JSONL file through PostgreSQL to Parquet and JSONL', async () => {
    const cwd = await workFolder();
    fs.writeFileSync(path.join(cwd, 'odd.ts'), pipelineFile);
    fs.writeFileSync(path.join(cwd, 'rows.jsonl'), `${lines.join('\n')}\n`);
    const refused = await distilog(['run', 'odd.ts', '--param', 'limits={"__proto__":1}'], { cwd });
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Param limits has a key called __proto__, which cannot be stored. Rename the key.') as string,
    });

    const ran = await distilog(['run', 'odd.ts', '--no-reject-limit'], { cwd });
    expect(ran.code, ran.stderr).toBe(3);
    const errors = (await distilog(['errors', '--all'], { cwd })).stdout;
    for (const where of ['rows.jsonl:3: column any[0]', 'rows.jsonl:4: column scores', 'column made'])
      expect(errors).toContain(`${where} has a key called __proto__, which cannot be stored`);
    expect((await distilog(['log', '--json', '--type', 'BatchSucceeded', '--step', 'rows'], { cwd })).stdout).toContain(
      '"undeclared":["__proto__"]',
    );

    for (const format of ['jsonl', 'parquet']) {
      expect((await distilog(['distiset', '--format', format, '--out', format], { cwd })).code).toBe(0);
      expect(await json(['verify', '--distiset', format], { cwd })).toMatchObject({ ok: true, rows: 2 });
    }
    const kept = fs.readFileSync(path.join(cwd, 'jsonl/data/train-00000-of-00001.jsonl'), 'utf8');
    expect(kept).toBe(
      [
        '{"n":1,"any":{"constructor":1,"toString":[2]},"scores":{"valueOf":3},"made":{"constructor":1,"toString":[2]}}\n',
        '{"n":5,"any":null,"scores":{},"made":null}\n',
      ].join(''),
    );
    // The function's captures are in the definition, so that a change of theirs is seen.
    const changed = pipelineFile.replace('"a":1', '"a":2');
    fs.writeFileSync(path.join(cwd, 'odd.ts'), changed);
    const again = await distilog(['retry', 'odd.ts'], { cwd });
    expect(again.stderr).toMatch(/made\s+changed: captures/);
  });
});
