import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** This project's folder. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block of a document. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

/** A document of this project: its text, and its fenced blocks in their order. */
export function document(name: string): { readonly text: string; readonly all: readonly Block[]; of(language: string): readonly string[] } {
  const text = fs.readFileSync(path.join(root, name), 'utf8');
  const all = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', block = '']) => ({ language, text: block }));
  return { text, all, of: (language) => all.filter((block) => block.language === language).map((block) => block.text) };
}

/** A line of a block of commands: its words, and the remark next to them. */
export interface CommandLine {
  readonly line: string;
  readonly words: readonly string[];
  readonly remark: string;
  /** The exit code that the remark names, else 0. */
  readonly code: number;
}

/** The commands of a block. */
export const commandLines = (block: string): readonly CommandLine[] =>
  block
    .trim()
    .split('\n')
    .map((line) => {
      const [, command = '', remark = ''] = /^(.*?)(?:\s+#\s*(.*))?$/.exec(line) ?? [];
      return { line, words: command.split(/\s+/), remark, code: Number(/exit code (\d)/.exec(remark)?.[1] ?? 0) };
    });
