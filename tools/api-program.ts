// Compiles the declarations of the built package as one program, from which the API report and the reference are made.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompilerState, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

/** Path of the project's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** An entry point of the package. */
export interface EntryPoint {
  /** Name under which a program imports it. */
  readonly specifier: string;
  /** Path of its built declarations. */
  readonly declarations: string;
  readonly config: ExtractorConfig;
}

const names = ['distilog', 'distilog/llm', 'distilog/testing'];
const declarationsOf = (specifier: string): string => path.join(root, 'dist/src', specifier.replace(/^distilog\/?/, ''), 'index.d.ts');

const compilerOptions = {
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable', 'esnext.iterator', 'esnext.array'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  types: ['node'],
  strict: true,
  noEmit: true,
};

/** Returns the entry points of the package, configured to write their reports into `reportFolder`. */
export const entryPoints = (reportFolder: string): readonly EntryPoint[] =>
  names.map((specifier) => ({
    specifier,
    declarations: declarationsOf(specifier),
    config: ExtractorConfig.prepare({
      configObjectFullPath: path.join(root, 'api-extractor.json'),
      packageJsonFullPath: path.join(root, 'package.json'),
      configObject: {
        projectFolder: root,
        mainEntryPointFilePath: declarationsOf(specifier),
        compiler: { overrideTsconfig: { compilerOptions, files: names.map(declarationsOf) } },
        newlineKind: 'lf',
        apiReport: {
          enabled: true,
          reportFolder,
          reportTempFolder: reportFolder,
          reportFileName: `${specifier.replace('/', '-')}.api.md`,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
          extractorMessageReporting: {
            default: { logLevel: ExtractorLogLevel.Warning },
            'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
            // Members with self-explanatory names have no comment.
            'ae-undocumented': { logLevel: ExtractorLogLevel.None },
          },
          // Comments are plain sentences with Markdown, not TSDoc.
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        },
      },
    }),
  }));

/** Compiles the declarations of all entry points once. */
export const compile = ([first, ...others]: readonly EntryPoint[]): CompilerState => {
  if (!first) throw new Error('no entry points');
  return CompilerState.create(first.config, { additionalEntryPoints: others.map(({ declarations }) => declarations) });
};
