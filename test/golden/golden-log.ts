// A log as a released version stored it, as lines of JSON: its logs' heads, appends and events, and the chunks that they name.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { assert } from '../../src/kit/assert.ts';
import type { Expectation, Rows } from './expectation.ts';
import type { Chunk, Commit, Head, StoredEvent } from '../../src/log/index.ts';

/** A chunk as it is stored. */
export interface StoredChunk {
  readonly sha256: string;
  readonly codec: string;
  readonly length: number;
  readonly base64: string;
}

/** One of a run's two logs. */
export interface LogLines {
  readonly head: Head;
  readonly commits: readonly Commit[];
  readonly events: readonly StoredEvent[];
}

export interface GoldenLog {
  readonly runId: string;
  readonly logs: readonly LogLines[];
  readonly chunks: readonly StoredChunk[];
}

/** What a log must fold to, and, where a driver was lost in it, what rows the run must have if it is resumed from there. */
export interface Expected extends Expectation {
  readonly interrupted?: { readonly at: number; readonly resumed: Rows } | undefined;
}

const folder = path.dirname(fileURLToPath(import.meta.url));

/** The released versions that left logs. */
export const versions: readonly string[] = fs
  .readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** A file of a version's. */
export const goldenFile = (version: string, file: string): string => path.join(folder, version, file);

/** The text of a golden log: one line for each head, append, event and chunk. */
export function goldenText({ logs, chunks }: GoldenLog): string {
  const lines = [
    ...logs.flatMap(({ head, commits, events }) => [
      { head },
      ...commits.map((commit) => ({ commit })),
      ...events.map((event) => ({ event })),
    ]),
    ...chunks.map((chunk) => ({ chunk })),
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function parseGolden(text: string): GoldenLog {
  const logs: { head: Head; commits: Commit[]; events: StoredEvent[] }[] = [];
  const chunks: StoredChunk[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const { head, commit, event, chunk } = JSON.parse(line) as Partial<{
      head: Head;
      commit: Commit;
      event: StoredEvent;
      chunk: StoredChunk;
    }>;
    if (head) logs.push({ head, commits: [], events: [] });
    if (commit) logs.at(-1)?.commits.push(commit);
    if (event) logs.at(-1)?.events.push(event);
    if (chunk) chunks.push(chunk);
  }
  return { runId: logs[0]?.head.logId ?? '', logs, chunks };
}

/** A golden log of a version's. */
export const goldenLog = (version: string, name: string): GoldenLog =>
  parseGolden(fs.readFileSync(goldenFile(version, `${name}.jsonl`), 'utf8'));

/** What must be computed of a version's logs, by their names. */
export const expectedOf = (version: string): Readonly<Record<string, Expected>> =>
  JSON.parse(fs.readFileSync(goldenFile(version, 'expected.json'), 'utf8')) as Readonly<Record<string, Expected>>;

/** A run as it lay there when its log ended at a position. */
export function cutAt({ runId, logs, chunks }: GoldenLog, position: number): GoldenLog {
  const time = logs[0]?.events.find((event) => event.position === position)?.recordedAt ?? '';
  const cut = logs.map(({ head, commits, events }): LogLines => {
    const kept = commits.filter(({ recordedAt }) => recordedAt <= time);
    const last = kept.at(-1);
    assert(last, 'both logs had begun');
    const { last: end, hash, recordedAt, epoch } = last;
    return { head: { ...head, position: end, hash, recordedAt, epoch }, commits: kept, events: events.slice(0, end) };
  });
  const named = new Set(cut.flatMap(({ events }) => events.flatMap((event) => event.chunks)));
  return { runId, logs: cut, chunks: chunks.filter(({ sha256 }) => named.has(sha256)) };
}

/** A stored chunk's bytes. */
export function unpacked({ sha256, codec, base64 }: StoredChunk): Chunk {
  const body = Buffer.from(base64, 'base64');
  return { sha256, bytes: codec === 'zstd' ? zstdDecompressSync(body) : body };
}
