import type { Loaded } from '../../../schema/index.ts';
import { loadPipeline } from '../../../src/cli/load-pipeline.ts';

/** What became of loading a file, in a process that no test runner has changed the loading of. */
export type Probed =
  | {
      readonly ok: true;
      readonly name: string;
      readonly file: string;
      readonly sources: readonly { readonly path: string; readonly text: string }[];
      readonly relativeSources: readonly { readonly path: string }[];
      readonly loaded: Loaded;
    }
  | { readonly ok: false; readonly code: string | null; readonly message: string };

async function probe(file: string): Promise<Probed> {
  try {
    const { pipeline, sources, relativeSources, loaded, file: given } = await loadPipeline(file);
    return { ok: true, name: pipeline.name, file: given, sources, relativeSources, loaded };
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return { ok: false, code: code ?? null, message };
  }
}

const probed: Record<string, Probed> = {};
for (const file of process.argv.slice(2)) probed[file] = await probe(file);
process.stdout.write(`${JSON.stringify(probed)}\n`);
