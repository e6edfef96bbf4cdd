import { Fault } from '../../kit/fault.ts';
import { sha256Stream } from '../../kit/sha256.ts';
import { openFile, type OpenFile } from './open-file.ts';
import type { SourceFile } from './source-file.ts';

/** What identifies a file's content, as `StepStarted` records it. */
export interface FileFacts {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Rows, those that will be rejected among them. */
  readonly rows: number;
}

/** Counts rows: of chunks that are fed to it, or by looking at the file itself. */
export interface RowCounter {
  push?(chunk: Buffer): void;
  end(file: OpenFile): number | Promise<number>;
}

interface StampedFacts {
  readonly stamp: string;
  readonly facts: Promise<FileFacts>;
}

/** What is known of one source's file, in one process: computed in one pass, and again only when its size or time of change is another. */
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

  /** Refuses a file that was opened and is another than the one whose facts were told: `Fault('source-changed')`. */
  async refuseOther(open: OpenFile): Promise<void> {
    const told = this.#known;
    if (!told || told.stamp === open.stamp) return;
    const [before, now] = [await told.facts, await this.facts()];
    if (before.sha256 === now.sha256) return;
    this.#known = told;
    const change = before.bytes === now.bytes ? 'its content is another' : `it had ${before.bytes} bytes and has ${now.bytes}`;
    throw new Fault(
      'source-changed',
      `${this.#file.name} has changed since the run looked at it: ${change}. Put it back as it was and resume, or start a new run.`,
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
