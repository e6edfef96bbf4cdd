import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../../src/kit/clock.ts';
import { formatInstant, parseInstant } from '../../../src/kit/instant.ts';
import { memoryStore, parseAsOf, parseSince, resolveAsOf } from '../../../src/log/index.ts';
import { createRun, requestOf, runId, stepStarted } from './log-fixture.ts';

const now = parseInstant('2026-11-24T12:00:00.000000Z');
const zoneHere = process.env['TZ'];
const inZone = (zone: string): void => {
  process.env['TZ'] = zone;
};
afterEach(() => {
  if (zoneHere === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zoneHere;
});

const instantOf = (text: string): string => {
  const parsed = parseAsOf(text, now);
  return parsed.kind === 'instant' ? formatInstant(parsed.instant) : parsed.kind;
};

describe('an AS-OF', () => {
  it('is a position, or the head', () => {
    expect(parseAsOf('1234', now)).toEqual({ kind: 'position', position: 1234 });
    expect(parseAsOf(' 0 ', now)).toEqual({ kind: 'position', position: 0 });
    expect(parseAsOf('head', now)).toEqual({ kind: 'head' });
    expect(parseAsOf('HEAD', now)).toEqual({ kind: 'head' });
  });

  it.each([
    ['90s', '2026-11-24T11:58:30.000000Z'],
    ['5m', '2026-11-24T11:55:00.000000Z'],
    ['2h', '2026-11-24T10:00:00.000000Z'],
    ['1d', '2026-11-23T12:00:00.000000Z'],
    ['250ms', '2026-11-24T11:59:59.750000Z'],
    ['999999999d', '1970-01-01T00:00:00.000000Z'],
  ])('is a time ago: %s', (text, expected) => {
    expect(instantOf(text)).toBe(expected);
  });

  it.each([
    ['2026-11-24T10:00:00.123456Z', '2026-11-24T10:00:00.123456Z'],
    ['2026-11-24T10:00:00.12Z', '2026-11-24T10:00:00.129999Z'],
    ['2026-11-24T10:00:00Z', '2026-11-24T10:00:00.999999Z'],
    ['2026-11-24T10:00Z', '2026-11-24T10:00:59.999999Z'],
    ['2026-11-24T10Z', '2026-11-24T10:59:59.999999Z'],
    ['2026-11-24 10:00:00,5z', '2026-11-24T10:00:00.599999Z'],
    ['2026-11-24T10:00+02:00', '2026-11-24T08:00:59.999999Z'],
    ['2026-11-24T10:00-0330', '2026-11-24T13:30:59.999999Z'],
    ['2026-11-24 10:00:00.000001+00', '2026-11-24T10:00:00.000001Z'],
  ])('is a time that names its zone, to the end of its unit: %s', (text, expected) => {
    inZone('America/New_York');
    expect(instantOf(text)).toBe(expected);
  });

  it.each([
    ['Europe/Berlin', '2026-11-24T10:00', '2026-11-24T09:00:59.999999Z'],
    ['Europe/Berlin', '2026-07-24T10:00', '2026-07-24T08:00:59.999999Z'],
    ['Europe/Berlin', '2026-11-24', '2026-11-24T22:59:59.999999Z'],
    ['Asia/Kolkata', '2026-11-24T10:00', '2026-11-24T04:30:59.999999Z'],
    ['Pacific/Kiritimati', '2026-11-24', '2026-11-24T09:59:59.999999Z'],
    ['Pacific/Pago_Pago', '2026-11-24', '2026-11-25T10:59:59.999999Z'],
    // The day on which clocks change has 23 or 25 hours.
    ['Europe/Berlin', '2026-03-29', '2026-03-29T21:59:59.999999Z'],
    ['Europe/Berlin', '2026-10-25', '2026-10-25T22:59:59.999999Z'],
    // 02:30 occurs twice: at its end, both have passed.
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T01:30:59.999999Z'],
    ['America/New_York', '2026-11-01T01:59', '2026-11-01T06:59:59.999999Z'],
    // Clocks go back at midnight: the day's last minute occurs twice.
    ['America/Havana', '2026-11-01T00:30', '2026-11-01T05:30:59.999999Z'],
    // 02:30 does not occur: it is counted on from the hour before.
    ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29T01:30:59.999999Z'],
  ])('is a local time where it names no zone: in %s, %s', (zone, text, expected) => {
    inZone(zone);
    expect(instantOf(text)).toBe(expected);
  });

  it.each([
    '',
    'yesterday',
    '-5',
    '1.5',
    '5 m',
    '5w',
    '2026-02-30',
    '2026-13-01',
    '2026-11-24T24:00',
    '2026-11-24T10:60',
    '2026-11-24T10:00:61Z',
    '2026-11-24T10:00:00.1234567Z',
    '2026-11-24T10:00+25:00',
    '2026-11-24Z',
    '2026-11',
    '26-11-24',
  ])('is nothing else: "%s"', (text) => {
    expect(() => parseAsOf(text, now)).toThrow(expect.objectContaining({ code: 'not-an-as-of' }));
  });

  it('means the last microsecond that has the same text', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe');
    const instants = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2040, 0) });
    fc.assert(
      fc.property(zones, instants, fc.constantFrom(10, 13, 16, 19), (zone, atMs, length) => {
        inZone(zone);
        const reads = (instant: number): string => localReading(instant).slice(0, length);
        const text = reads(atMs * 1_000);
        const parsed = parseAsOf(text, now);
        if (parsed.kind !== 'instant') throw new Error('not an instant');
        expect(parsed.instant).toBeGreaterThanOrEqual(atMs * 1_000);
        expect(reads(parsed.instant)).toBe(text);
        expect(reads(parsed.instant + 1)).not.toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Returns the time that a local clock shows, as ISO without a zone. */
function localReading(instant: number): string {
  const at = new Date(Math.floor(instant / 1_000));
  const two = (number: number) => String(number).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

describe('resolving an AS-OF', () => {
  const started = parseInstant('2026-11-24T10:00:00.000000Z');
  const open = async () => {
    const clock = manualClock(started);
    const { log } = memoryStore({ clock });
    await createRun(log);
    const opened = await log.openDriver(runId);
    if (!opened.ok) throw new Error('driven');
    clock.advance(60_000);
    await opened.session.append(requestOf([stepStarted(), stepStarted(), stepStarted()]));
    const hashOf = async (position: number) => (await log.asOf(runId, position))?.hash;
    return { log, hashOf };
  };
  const at = (text: string) => parseAsOf(text, now);

  it('returns the position, its time, and the hash that covers it', async () => {
    const { log, hashOf } = await open();
    expect(await resolveAsOf(log, runId, at('3'))).toEqual({
      position: 3,
      recordedAt: '2026-11-24T10:01:00.000000Z',
      hash: await hashOf(4),
    });
    expect(await resolveAsOf(log, runId, at('head'))).toMatchObject({ position: 4 });
  });

  it('resolves a time to the last position by then', async () => {
    const { log } = await open();
    expect(await resolveAsOf(log, runId, at('2026-11-24T10:00:00.000000Z'))).toMatchObject({ position: 1 });
    expect(await resolveAsOf(log, runId, at('2026-11-24T10:00Z'))).toMatchObject({ position: 1 });
    expect(await resolveAsOf(log, runId, at('2026-11-24T10:01Z'))).toMatchObject({ position: 4 });
    expect(await resolveAsOf(log, runId, at('2h'))).toMatchObject({ position: 1 });
    expect(await resolveAsOf(log, runId, at('2030-01-01'))).toMatchObject({ position: 4 });
  });

  it.each([
    ['0', 'as-of-before-start', /2026-11-24T10:00:00.000000Z/],
    ['2026-11-24T09:59:59.999999Z', 'as-of-before-start', /2026-11-24T10:00:00.000000Z/],
    ['3d', 'as-of-before-start', /2026-11-24T10:00:00.000000Z/],
    ['5', 'as-of-beyond-head', /no position 5: its last is 4/],
  ])('refuses %s: %s', async (text, code, message) => {
    const { log } = await open();
    await expect(resolveAsOf(log, runId, at(text))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('refuses an unknown run', async () => {
    const { log } = await open();
    await expect(resolveAsOf(log, 'another', at('head'))).rejects.toMatchObject({ code: 'unknown-run' });
  });

  it('says that a log has no event yet', async () => {
    const { log } = await open();
    await expect(resolveAsOf(log, `${runId}/side`, at('head'))).rejects.toMatchObject({ code: 'as-of-before-start' });
  });
});

describe('the start of a range of time', () => {
  const since = (text: string) => formatInstant(parseSince(text, now));

  it('means the start of its unit, or an age', () => {
    inZone('UTC');
    expect(since('2026-11-24')).toBe('2026-11-24T00:00:00.000000Z');
    expect(since('2026-11-24T10')).toBe('2026-11-24T10:00:00.000000Z');
    expect(since('2026-11-24T10:30+01:00')).toBe('2026-11-24T09:30:00.000000Z');
    expect(since('2026-11-24T10:30:01.5Z')).toBe('2026-11-24T10:30:01.500000Z');
    expect(since('2h')).toBe('2026-11-24T10:00:00.000000Z');
  });

  it('means the first of a local time that occurs twice', () => {
    inZone('Europe/Berlin');
    expect(since('2026-10-25T02:30')).toBe('2026-10-25T00:30:00.000000Z');
  });

  it.each(['head', '12', 'yesterday', '2026-13-01', ''])('is refused if it is not a time: %j', (text) => {
    expect(() => parseSince(text, now)).toThrow(expect.objectContaining({ code: 'not-a-time' }) as Error);
  });
});
