import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The code before each snippet: a pipeline whose node `words` has the columns lemma and gloss. */
const head = `import { z } from 'zod';
import { pipeline, renamed, step } from 'distilog';
const text = z.object({ text: z.string() });
export default pipeline('words', ({ source }) => {
  const words = source('words', { output: z.object({ lemma: z.string(), gloss: z.string() }), rows: [] });
`;
const headLines = head.split('\n').length;

/** A mistake, the compiler's message, and the line and word that it points at. */
const mistakes: Readonly<Record<string, readonly [snippet: string, says: RegExp, at: string]>> = {
  'an existing column': [
    `words.map('m', { output: z.object({ gloss: z.string() }), run: () => ({ gloss: '' }) });`,
    /Type 'string' is not assignable to type '"this column exists: give the new one another name"'/,
    'words',
  ],
  'a Date column': [
    `words.map('m', { output: z.object({ at: z.date() }), run: () => ({ at: new Date() }) });`,
    /is not assignable to type '"column 'at' is a Date: use z\.iso\.datetime\(\)"'/,
    'output',
  ],
  'a Date column of a source': [
    `source('s', { output: z.object({ at: z.date() }), rows: [] });`,
    /is not assignable to type '"column 'at' is a Date: use z\.iso\.datetime\(\)"'/,
    'output',
  ],
  'a Date deep inside a column': [
    `words.map('m', { output: z.object({ seen: z.array(z.object({ at: z.date() })) }), run: () => ({ seen: [] }) });`,
    /"column 'seen' is a Date: use z\.iso\.datetime\(\)"/,
    'output',
  ],
  'a bigint column': [
    `words.map('m', { output: z.object({ n: z.bigint() }), run: () => ({ n: 1n }) });`,
    /"column 'n' is a bigint: use z\.int\(\) or z\.string\(\)"/,
    'output',
  ],
  'an optional column': [
    `words.map('m', { output: z.object({ t: z.string().optional() }), run: () => ({}) });`,
    /"column 't' is undefined: a column is in every row, use \.nullable\(\)"/,
    'output',
  ],
  'a column of any': [
    `words.map('m', { output: z.object({ t: z.any() }), run: () => ({ t: 1 }) });`,
    /"column 't' is any: use z\.json\(\)"/,
    'output',
  ],
  'unnamed columns': [
    `words.map('m', { output: z.looseObject({ t: z.string() }), run: () => ({ t: '' }) });`,
    /"columns must be named: no z\.looseObject\(\), no \.catchall\(\)"/,
    'output',
  ],
  'an unknown column in run': [
    `words.map('m', { output: text, run: ({ lema }) => ({ text: lema }) });`,
    /^Property 'lema' does not exist on type '(Simplify<)?\{ lemma: string; gloss: string; \}/,
    'lema',
  ],
  'an unknown column in run, some steps on': [
    `words.map('m', { output: text, run: () => ({ text: '' }) }).filter('f', { keep: ({ txt }) => txt !== '' });`,
    /^Property 'txt' does not exist on type '.*lemma.*text.*'/s,
    'txt',
  ],
  'a wrong type from run': [
    `words.map('m', { output: text, run: ({ lemma }) => ({ text: lemma.length }) });`,
    /^Type 'number' is not assignable to type 'string'/,
    'text: lemma',
  ],
  'a column that run forgets': [
    `words.map('m', { output: text, run: () => ({}) });`,
    /^Type '\{\}' is not assignable to type 'Awaitable<\{ text: string; \}>'/,
    '({})',
  ],
  'an unknown column in select': [
    `words.select('s', ['lema']);`,
    /^Type '"lema"' is not assignable to type '"lemma" \| "gloss"'/,
    `'lema'`,
  ],
  'an option misspelt': [
    `words.map('m', { output: text, run: () => ({ text: '' }) }, { concurency: 3 });`,
    /'concurency' does not exist in type 'StepOptions'/,
    'concurency',
  ],
  'a library step without its input': [
    `words.map('m', step.map({ id: 'a', version: 1, input: z.object({ question: z.string() }), output: text, run: ({ question }) => ({ text: question }) }));`,
    /Property 'question' is missing in type '.*' but required in type '\{ question: string; \}'/s,
    'step.map',
  ],
  'an async definition': [`}); export const other = pipeline('other', async () => {`, /Promise<void>.*is not assignable/s, 'async'],
};

interface Message {
  readonly text: string;
  /** The source text from the place that the message points at. */
  readonly from: string;
  readonly line: number;
}

const messages = new Map<string, readonly Message[]>();

beforeAll(() => {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as { config: object };
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root);
  const texts = new Map(Object.entries(mistakes).map(([what, [snippet]]) => [fileOf(what), `${head}${snippet}\n});\n`]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (file) => texts.has(file) || fileExists(file);
  host.readFile = (file) => texts.get(file) ?? readFile(file);
  const getSourceFile = host.getSourceFile;
  host.getSourceFile = (file, ...rest) => {
    const text = texts.get(file);
    return text === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, text, ...([rest[0]] as const));
  };
  const program = ts.createProgram([...texts.keys()], { ...options, noUnusedLocals: false }, host);
  for (const [what] of Object.entries(mistakes)) {
    const source = program.getSourceFile(fileOf(what));
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    messages.set(
      what,
      found.map(({ messageText, start = 0 }) => ({
        text: ts.flattenDiagnosticMessageText(messageText, '\n'),
        from: source?.text.slice(start) ?? '',
        line: (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
      })),
    );
  }
}, 120_000);

/** A file that does not exist. It is in the repository, so that 'distilog' can be resolved. */
function fileOf(what: string): string {
  return path.join(root, 'test/types', `${what.replaceAll(/\W+/g, '-')}.snippet.ts`);
}

describe('the compiler', () => {
  it.each(Object.keys(mistakes))('explains %s, once, at its place', (what) => {
    const [, says, at] = mistakes[what] ?? ['', /^$/, ''];
    const found = messages.get(what) ?? [];
    expect(found.map(({ text }) => text)).toEqual([expect.stringMatching(says)]);
    expect(found[0]?.line).toBe(headLines);
    expect(found[0]?.from.slice(0, at.length)).toBe(at);
  });

  it('is brief', () => {
    for (const [what, found] of messages) for (const { text } of found) expect(text.length, `${what}: ${text}`).toBeLessThan(1_500);
  });
});
