// Makes the API reference from the built declarations with typedoc: pages for everything that the package exports.
import path from 'node:path';
import type { CompilerState } from '@microsoft/api-extractor';
import { Application, LogLevel, Logger, type DocumentationEntryPoint } from 'typedoc';
import { root, type EntryPoint } from './api-program.ts';

/** Writes the reference into a folder, `reference` by default, and returns typedoc's warnings and errors. */
export async function writeReference(
  { program }: CompilerState,
  entries: readonly EntryPoint[],
  folder: string = path.join(root, 'reference'),
): Promise<readonly string[]> {
  const app = await Application.bootstrap({
    name: 'distilog',
    readme: path.join(root, 'README.md'),
    // Links to the declarations would be broken, because they are not committed.
    disableSources: true,
    // Links of the README point to files of the repository, not of the reference.
    validation: { notExported: true, invalidLink: true, rewrittenLink: true, notDocumented: false, invalidPath: false },
    // Node and zod have references of their own.
    excludeExternals: true,
    githubPages: false,
  });
  const problems: string[] = [];
  app.logger = new (class extends Logger {
    override log(message: string, level: LogLevel): void {
      if (level === LogLevel.Warn || level === LogLevel.Error) problems.push(`reference: ${message}`);
    }
  })();
  const points = entries.map(({ specifier, declarations }): DocumentationEntryPoint => {
    const sourceFile = (program as DocumentationEntryPoint['program']).getSourceFile(declarations);
    if (!sourceFile) throw new Error(`There are no declarations of ${specifier}. Run: npm run build`);
    return { displayName: specifier, program: program as DocumentationEntryPoint['program'], sourceFile };
  });
  const project = app.converter.convert(points);
  app.validate(project);
  await app.generateDocs(project, folder);
  return problems;
}
