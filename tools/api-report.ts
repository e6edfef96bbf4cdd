// Writes docs/api: one report per entry point of the package, with every name and signature that a program can see. Reads the declarations in dist, so build
// first. With --check, compares instead of writing.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Extractor, type ExtractorMessage } from '@microsoft/api-extractor';
import { compile, entryPoints, root } from './api-program.ts';
import { writeReference } from './api-reference.ts';

const isCheck = process.argv.includes('--check');
const committed = path.join(root, 'docs/api');
const reportFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-api-'));
const entries = entryPoints(reportFolder);
const state = compile(entries);
const problems: string[] = [];
const exported = exportedNames();

for (const { specifier, config } of entries) {
  Extractor.invoke(config, {
    localBuild: true,
    compilerState: state,
    messageCallback: (message) => {
      message.handled = true;
      if (['error', 'warning'].includes(message.logLevel) && !isExportedByRoot(specifier, message))
        problems.push(textOf(specifier, message));
    },
  });
}

for (const name of fs.readdirSync(reportFolder)) {
  const text = fs.readFileSync(path.join(reportFolder, name), 'utf8');
  const file = path.join(committed, name);
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) continue;
  if (isCheck) problems.push(`docs/api/${name} differs from the declarations. Run npm run generate, and read the difference.`);
  else {
    fs.mkdirSync(committed, { recursive: true });
    fs.writeFileSync(file, text);
  }
}
fs.rmSync(reportFolder, { recursive: true, force: true });
problems.push(...(await writeReference(state, entries)));
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);

/** Lists the names that `distilog` itself exports. */
function exportedNames(): ReadonlySet<string> {
  const { program } = state as unknown as { readonly program: import('typescript').Program };
  const source = program.getSourceFile(entries[0]?.declarations ?? '');
  const module = source && program.getTypeChecker().getSymbolAtLocation(source);
  return new Set(
    module
      ? program
          .getTypeChecker()
          .getExportsOfModule(module)
          .map(({ name }) => name)
      : [],
  );
}

/** Returns whether the message is about a name that `distilog/llm` or `distilog/testing` uses and `distilog` exports. A program imports it from there. */
function isExportedByRoot(specifier: string, { messageId, text }: ExtractorMessage): boolean {
  const [, name = ''] = /^The symbol "([^"]+)"/.exec(text) ?? [];
  return specifier !== 'distilog' && messageId === 'ae-forgotten-export' && exported.has(name);
}

/** Returns a message as one line. */
function textOf(specifier: string, { messageId, text, sourceFilePath = '', sourceFileLine = 0 }: ExtractorMessage): string {
  return `${path.relative(root, sourceFilePath)}:${sourceFileLine}: ${specifier}: ${text} (${messageId})`;
}
