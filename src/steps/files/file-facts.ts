import { Fault } from '../../kit/fault.ts';
import { sha256Stream } from '../../kit/sha256.ts';
import { openFile, type OpenFile } from './open-file.ts';
import type { SourceFile } from './source-file.ts';

/** The facts that identify a file's content, as `StepStarted` records them. */
export interface FileFacts {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Number of rows, including those that will be rejected. */
  readonly rows: number;
}

/** Counts rows, either from chunks that are pushed to it or from the file itself. */
export interface RowCounter {
  push?(chunk: Buffer): void;
  end(file: OpenFile): number | Promise<number>;
}

interface StampedFacts {
  readonly stamp: string;
  readonly facts: Promise<FileFacts>;
}

/** Caches the facts of one source's file in a process. They are computed in one pass, and again only if the file's size or modification time changes. */
export class FactsOfFile {
  readonly #file: SourceFile;
  readonly #counter: () => RowCounter;
  #known: StampedFacts | undefined;

  constructor(file: SourceFile, counter: () => RowCounter) {
    this.#file = file;
    this.#counter = counter;
  }

  async facts(): Promise<FileFacts> {
    const open = await openFile(this.#file);
    try {
      if (this.#known?.stamp !== open.stamp) this.#known = { stamp: open.stamp, facts: factsOf(open, this.#counter()) };
      return await this.#known.facts;
    } catch (error) {
      this.#known = undefined;
      throw error;
    } finally {
      await open.close();
    }
  }

  /** Refuses an opened file whose content differs from the reported facts: `Fault('source-changed')`. */
  async refuseOther(open: OpenFile): Promise<void> {
    const reported = this.#known;
    if (!reported || reported.stamp === open.stamp) return;
    const [before, now] = [await reported.facts, await this.facts()];
    if (before.sha256 === now.sha256) return;
    this.#known = reported;
    const change = before.bytes === now.bytes ? 'its content differs' : `it had ${before.bytes} bytes and has ${now.bytes}`;
    throw new Fault(
      'source-changed',
      `${this.#file.name} has changed since the run first read it: ${change}. Restore the file and resume, or start a new run.`,
    );
  }
}

async function factsOf(open: OpenFile, counter: RowCounter): Promise<FileFacts> {
  const hash = sha256Stream();
  for await (const chunk of open.chunks(0)) {
    hash.update(chunk);
    counter.push?.(chunk);
  }
  const rows = await counter.end(open);
  return { path: open.file.name, bytes: open.bytes, sha256: hash.digest('hex'), rows };
}
