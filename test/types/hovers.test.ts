import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const file = path.join(root, 'test/types/hovers.snippet.ts');
const text = `import { z } from 'zod';
import { pipeline, renamed, step, type RowsOf } from 'distilog';
const answer = step.map({
  id: 'answer', version: 1, input: z.object({ instruction: z.string() }), output: z.object({ generation: z.string().nullable() }),
  run: ({ instruction }) => ({ generation: instruction }),
});
export const words = pipeline('words', { params: z.object({ limit: z.int().optional() }) }, ({ source, params }) => {
  const entries = source('entries', { output: z.object({ lemma: z.string(), gloss: z.string() }), rows: [] });
  const asked = entries.map('asked', { output: z.object({ question: z.string() }), run: (entry) => ({ question: entry.lemma }) });
  const answered = asked.map('answered', renamed(answer, { instruction: 'question', generation: 'answer' }));
  const graded = answered.map('graded', { output: z.object({ grade: z.enum(['good', 'bad']) }), run: (row) => ({ grade: row.answer ? 'good' : 'bad' }) });
  const kept = graded.filter('kept', { keep: ({ grade }) => grade === 'good' });
  const short = kept.select('short', ['answer']);
  return { kept, short };
});
export type Rows = RowsOf<typeof words>;
`;

let hovers: ReadonlyMap<string, string>;

beforeAll(() => {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), (name) => ts.sys.readFile(name)) as { config: object };
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version, ...rest) =>
    name === file ? ts.createSourceFile(name, text, version) : getSourceFile(name, version, ...rest);
  const program = ts.createProgram([file], { ...options, noUnusedLocals: false, noUnusedParameters: false }, host);
  const source = program.getSourceFile(file);
  if (!source) throw new Error('the snippet was not compiled');
  expect(program.getSemanticDiagnostics(source).map(({ messageText }) => messageText)).toEqual([]);
  hovers = hoversOf(source, program.getTypeChecker());
}, 120_000);

// Formatted as the language service does: names as written, aliases resolved, nothing truncated.
const flags = ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope | ts.TypeFormatFlags.InTypeAlias | ts.TypeFormatFlags.NoTruncation;

/** Returns the hover text of each name that a file declares. */
function hoversOf(source: ts.SourceFile, checker: ts.TypeChecker): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    const isNamed = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node) || ts.isTypeAliasDeclaration(node);
    if (isNamed && ts.isIdentifier(node.name)) {
      found.set(node.name.text, checker.typeToString(checker.getTypeAtLocation(node.name), node, flags));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('an editor shows', () => {
  it.each([
    ['params', '{ limit?: number | undefined; }'],
    ['entries', 'Node<{ lemma: string; gloss: string; }>'],
    ['entry', '{ lemma: string; gloss: string; }'],
    ['asked', 'Node<{ lemma: string; gloss: string; } & { question: string; }>'],
    ['grade', '"good" | "bad"'],
    ['short', 'Node<{ answer: string | null; }>'],
    [
      'Rows',
      '{ readonly kept: { lemma: string; gloss: string; question: string; answer: string | null; grade: "good" | "bad"; }; readonly short: { answer: string | null; }; }',
    ],
  ])('the type of %s in the words of columns', (name, type) => {
    expect(hovers.get(name)).toBe(type);
  });

  it('neither zod types nor internal types in a row', () => {
    for (const name of ['row', 'kept', 'answered']) expect(hovers.get(name)).not.toMatch(/Zod|Out<|Renamed|Simplify|Lacks|Storable/);
  });
});
