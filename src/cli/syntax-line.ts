import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { isModuleText } from './transform-typescript.ts';

/**
 * Returns the line at which Node cannot parse a file, from 1, or null where it can. An error of V8 names no line until Node prints it, so another Node checks
 * the text without running it.
 */
export function syntaxErrorLine(file: string): number | null {
  const text = fs.readFileSync(file, 'utf8');
  const script = withoutTypes(file, text);
  if (script === null) return null;
  const isModule = !/\.c[jt]s$/.test(file) && isModuleText(text);
  const { stderr } = spawnSync(process.execPath, ['--check', `--input-type=${isModule ? 'module' : 'commonjs'}`, '-'], {
    input: script,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [, line] = /^\[stdin\]:(\d+)$/m.exec(stderr) ?? [];
  return line === undefined ? null : Number(line);
}

/** Types become spaces, so that lines stay. Null where that fails: Node's own error names the line then. */
function withoutTypes(file: string, text: string): string | null {
  if (!/\.[cm]?ts$/.test(file)) return text;
  try {
    return stripTypeScriptTypes(text);
  } catch {
    return null;
  }
}
