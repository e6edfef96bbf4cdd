// Invalid data in place of stored data: bytes of chunks, rows of events.
import assert from 'node:assert/strict';
import { errors, fold, graph, progress, timeline, usage } from '../../projections/index.ts';
import { callSchema, catalogue, definitionSchema, rejectionSchema, triedAgainSchema, type RecordedEvent } from '../../schema/index.ts';
import { canonicalJson } from '../../src/kit/json.ts';
import { decodeEvent, encodeEvent, type EncodedEvent } from '../../src/log/index.ts';
import { ChunkBuilder, decodeChunk, decodeDocument, documentChunk } from '../../src/rows/index.ts';
import { decide } from '../../src/scheduler/decide.ts';
import { randomFrom } from '../unit/random.ts';
import { simulate } from '../unit/scheduler/simulation.ts';
import { randomWorld } from '../unit/scheduler/world.ts';
import { assertFault, mutated } from './mutate.ts';

const documents: readonly Parameters<typeof decodeDocument>[1][] = [
  definitionSchema,
  triedAgainSchema,
  callSchema.array(),
  rejectionSchema.array(),
];

/** Reads altered chunks of rows and documents. Returns how many could still be read. */
export function fuzzBytes(seed: number, count: number): string {
  const random = randomFrom(seed);
  const builder = new ChunkBuilder(['n', 'text'], true);
  for (let row = 0; row < 20; row++) builder.add([String(row), canonicalJson({ text: `row ${row}` })], row * 2, 20);
  const rows = Buffer.from(builder.take(0).chunk.bytes);
  const lists = Buffer.from(documentChunk([{ row: 1, code: 'c', message: 'm', attempts: 1 }]).bytes);
  let read = 0;
  for (let each = 0; each < count; each++) {
    const bytes = mutated(random.chance(0.7) ? rows : lists, random);
    try {
      const { count: of, columns, parents } = decodeChunk(bytes);
      for (const values of columns.values()) assert.equal(values.length, of);
      assert(parents === null || parents.length === of);
      read++;
    } catch (error) {
      assertFault(error, bytes, ['chunk-corrupted']);
    }
    try {
      decodeDocument(bytes, random.pick(documents));
    } catch (error) {
      assertFault(error, bytes, ['chunk-corrupted']);
    }
  }
  return `${count} (${read} read)`;
}

const projections = [graph, progress, errors, usage, timeline] as const;

/** Reads altered and unordered events of runs. Each is read or reported as unreadable, and those that are read must fold. Returns how many were read. */
export function fuzzEvents(seed: number, worlds: number): string {
  let all = 0;
  let read = 0;
  for (let each = seed; each < seed + worlds; each++) {
    const random = randomFrom(each);
    const { events } = simulate(randomWorld(each), { seed: each, crash: 0.05, flaky: 0.1, pause: 0.05, breaks: 0.01, retries: 1 });
    const readable: RecordedEvent[] = [];
    for (const event of events) {
      if (random.chance(0.02)) continue;
      const stored = random.chance(0.7) ? encodeEvent(event) : altered(encodeEvent(event), random);
      const decoded = decodeEvent({ ...stored, position: event.position, recordedAt: event.recordedAt }, 'run');
      all++;
      if (decoded.event) readable.push(decoded.event);
      else assert(decoded.reason.length > 10, decoded.reason);
    }
    read += readable.length;
    for (let swaps = random.below(20); swaps > 0; swaps--) {
      const at = random.below(readable.length);
      readable.push(...readable.splice(at, 1));
    }
    try {
      for (const projection of projections) fold<unknown>(projection, readable);
      decide(fold(graph, readable), 0);
    } catch (error) {
      throw new Error(`seed ${each}: what was read cannot be folded: ${String(error)}`, { cause: error });
    }
  }
  return `${all} (${read} read)`;
}

function altered(event: EncodedEvent, random: ReturnType<typeof randomFrom>): EncodedEvent {
  const numbers = [null, 0, -1, 1, 7, 2 ** 31, Number.MAX_SAFE_INTEGER];
  switch (random.below(6)) {
    case 0:
      return { ...event, type: random.pick([...Object.keys(catalogue), 'StepDreamt', '__proto__', 'toString', '']) };
    case 1:
      return { ...event, version: random.pick([0, -1, 2, 2 ** 31 - 1]) };
    case 2:
      return { ...event, step: random.pick([null, '', 'unknown', '__proto__', 'constructor', 'source']) };
    case 3:
      return { ...event, batch: random.pick(numbers), attempt: random.pick(numbers), pass: random.pick(numbers) };
    case 4:
      return { ...event, data: random.pick(['', 'null', '[]', '{}', '"x"', '1e999', '{"__proto__":1}']) };
    default:
      return { ...event, data: mutated(Buffer.from(event.data), random).toString() };
  }
}
