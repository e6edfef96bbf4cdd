import { describe, expect, it } from 'vitest';
import { eventBytesMax, type Span } from '../../../schema/index.ts';
import { AssertionError } from '../../../src/kit/assert.ts';
import { decodeEvent, encodeEvent } from '../../../src/log/index.ts';
import { batchStarted, batchSucceeded, runStarted, stepStarted } from './log-fixture.ts';

const place = { position: 5, recordedAt: '2026-11-24T10:00:00.000000Z' };
const decode = (encoded: ReturnType<typeof encodeEvent>) => decodeEvent({ ...encoded, ...place }, 'a-run');

describe('an encoded event', () => {
  it.each([runStarted, stepStarted('all', 7), batchSucceeded(3, 2, ['ab'.repeat(32)])])('is read as it was written: $type', (event) => {
    expect(decode(encodeEvent(event)).event).toEqual({ chunks: [], ...event, ...place, logId: 'a-run' });
  });

  it('has version 2 only if it lists rows, because an earlier program would read all rows', () => {
    const span: Span = { step: 'all', pass: 1, from: [0, 1], to: [0, 8] };
    const listed: Span = { ...span, rows: [1, 3, 7] };
    const started = (inputs: readonly Span[]) => ({ ...batchStarted(0), data: { ...batchStarted(0).data, inputs } });
    const succeeded = (inputs: readonly Span[]) => ({ ...batchSucceeded(0), data: { ...batchSucceeded(0).data, inputs } });
    for (const make of [started, succeeded]) {
      expect(encodeEvent(make([span])).version).toBe(1);
      expect(encodeEvent(make([])).version).toBe(1);
      expect(encodeEvent(make([span, listed])).version).toBe(2);
      expect(decode(encodeEvent(make([span, listed]))).event?.data).toEqual(make([span, listed]).data);
      expect(decode(encodeEvent(make([span]))).event?.data).toEqual(make([span]).data);
    }
  });

  it('is read as version 2 if 0.1.0 wrote a new pass, whose rows are in one chunk', () => {
    const { actor, program } = runStarted.data;
    const data = { pass: 2, steps: [], codes: null, rejected: [], until: {}, again: {}, epoch: 2, actor, program };
    const written = encodeEvent({ type: 'RunReopened', data: { ...data, pages: [] } });
    expect(written.version).toBe(2);
    expect(decode({ ...written, version: 1, data: JSON.stringify(data) }).event?.data).toEqual({ ...data, pages: [] });
    expect(decode({ ...written, data: JSON.stringify(data) }).event).toBeNull();
  });

  it('has canonical data', () => {
    expect(encodeEvent({ ...stepStarted(), data: { count: -0, origin: null } }).data).toBe('{"count":0,"origin":null}');
  });

  it('throws as a bug if its shape is wrong or it is too large', () => {
    expect(() => encodeEvent({ ...stepStarted(), data: { count: 0.5, origin: null } })).toThrow(AssertionError);
    const large = batchSucceeded(0);
    expect(() => encodeEvent({ ...large, data: { ...large.data, undeclared: ['x'.repeat(eventBytesMax)], missing: [] } })).toThrow(
      AssertionError,
    );
  });

  it('holds a new pass over a hundred thousand batches', () => {
    const again = { all: Array.from({ length: 100_000 }, (_, batch): [number, number] => [batch, 1_000]) };
    const { actor, program } = runStarted.data;
    const data = { pass: 2, steps: [], codes: null, rejected: [], until: {}, again, pages: [], epoch: 2, actor, program };
    expect(decode(encodeEvent({ type: 'RunReopened', data })).event?.data).toEqual(data);
  });

  it('is unreadable if its type, version, shape or bytes are unknown', () => {
    const encoded = encodeEvent(stepStarted());
    for (const changes of [{ type: 'StepDreamt' }, { version: 2 }, { data: '{"count":"many"}' }, { data: '{' }]) {
      expect(decode({ ...encoded, ...changes })).toMatchObject({ event: null, reason: expect.any(String) });
    }
  });
});
