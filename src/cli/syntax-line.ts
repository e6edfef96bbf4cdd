import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { isModuleText } from './transform-typescript.ts';

/**
 * Returns the line at which Node cannot parse a file, from 1, or null if Node can parse it. V8's error names no line until Node prints it, so a second Node
 * process checks the text without running it.
 */
export function findSyntaxErrorLine(file: string): number | null {
  const text = fs.readFileSync(file, 'utf8');
  const script = stripTypes(file, text);
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

/** Replaces types by spaces, so that line numbers stay the same. Returns null if that fails, because Node's own error then names the line. */
function stripTypes(file: string, text: string): string | null {
  if (!/\.[cm]?ts$/.test(file)) return text;
  try {
    return stripTypeScriptTypes(text);
  } catch {
    return null;
  }
}
