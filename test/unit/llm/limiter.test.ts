import { describe, expect, it } from 'vitest';
import { Limiter, type Admission, type Caps } from '../../../src/llm/limiter.ts';
import type { Time } from '../../../src/llm/time.ts';

/** A clock that the test advances. */
function manualTime(): Time & { pass(milliseconds: number): Promise<void> } {
  let now = 0;
  const timers = new Map<object, { readonly at: number; readonly call: () => void }>();
  return {
    now: () => now,
    after: (milliseconds, call) => {
      const id = {};
      timers.set(id, { at: now + milliseconds, call });
      return () => timers.delete(id);
    },
    pass: async (milliseconds) => {
      now += milliseconds;
      for (const [id, { at, call }] of timers) {
        if (at > now) continue;
        timers.delete(id);
        call();
      }
      await Promise.resolve();
    },
  };
}

const never = new AbortController().signal;
const small = { characters: 4, maxOutputTokens: 0 };
const answered = (tokens = 1) => ({ kind: 'answered', tokens, outputTokens: 0 }) as const;

/** A limiter with the test's clock, and the calls that it has admitted. */
function limited(caps: Caps = {}) {
  const time = manualTime();
  const limiter = new Limiter(caps, time);
  const admitted: Admission[] = [];
  const ask = async (count: number, size = small, signal = never) => {
    for (let index = 0; index < count; index++)
      limiter
        .admit(size, signal)
        .then((admission) => admitted.push(admission))
        .catch(() => undefined);
    await Promise.resolve();
    await Promise.resolve();
  };
  const end = async (...outcomes: Parameters<Admission['end']>[0][]) => {
    for (const outcome of outcomes) admitted.shift()?.end(outcome);
    await Promise.resolve();
  };
  return { time, limiter, admitted, ask, end };
}

const refused = (retryAfterMs: number | null = null) => ({ kind: 'refused', retryAfterMs }) as const;

describe('calls in flight', () => {
  it('are unlimited until the provider refuses one, then they are halved', async () => {
    const { limiter, admitted, ask, end } = limited();
    await ask(16);
    expect(admitted).toHaveLength(16);
    await end(refused());
    expect(limiter.inFlightMax).toBe(8);
    await ask(5);
    expect(admitted).toHaveLength(15);
    await end(...Array.from({ length: 8 }, () => ({ kind: 'failed' }) as const));
    expect(admitted).toHaveLength(8);
  });

  it('are halved once for all calls already in flight, and again for a later call', async () => {
    const { limiter, ask, end } = limited();
    await ask(16);
    await end(...Array.from({ length: 16 }, () => refused()));
    expect(limiter.inFlightMax).toBe(8);
    await ask(8);
    await end(refused());
    expect(limiter.inFlightMax).toBe(4);
  });

  it('recover by one for each round of calls that succeed', async () => {
    const { limiter, ask, end } = limited();
    await ask(8);
    await end(refused());
    expect(limiter.inFlightMax).toBe(4);
    await end(...Array.from({ length: 4 }, () => answered()));
    expect(limiter.inFlightMax).toBe(5);
    await ask(5);
    await end(...Array.from({ length: 5 }, () => answered()));
    expect(limiter.inFlightMax).toBe(6);
  });

  it('are never fewer than one', async () => {
    const { limiter, admitted, ask, end } = limited();
    for (let round = 0; round < 5; round++) {
      await ask(1);
      await end(refused());
    }
    expect(limiter.inFlightMax).toBe(1);
    await ask(3);
    expect(admitted).toHaveLength(1);
    await end({ kind: 'failed' });
    expect(admitted).toHaveLength(1);
  });
});

describe('Retry-After', () => {
  it('holds back every new call until then', async () => {
    const { time, admitted, ask, end } = limited();
    await ask(4);
    await end(refused(5_000), answered(), answered(), answered());
    await ask(2);
    await time.pass(4_999);
    expect(admitted).toHaveLength(0);
    await time.pass(1);
    expect(admitted).toHaveLength(2);
  });

  it('of an hour is not cut short by one of a second', async () => {
    const { time, admitted, ask, end } = limited();
    await ask(2);
    await end(refused(3_600_000), refused(1_000));
    await ask(1);
    await time.pass(3_599_999);
    expect(admitted).toHaveLength(0);
    await time.pass(1);
    expect(admitted).toHaveLength(1);
  });
});

describe('requestsPerMinute', () => {
  it('admits that many calls within any minute, in the order of their requests', async () => {
    const { time, admitted, ask } = limited({ requestsPerMinute: 3 });
    await ask(2);
    await time.pass(30_000);
    await ask(4);
    expect(admitted).toHaveLength(3);
    await time.pass(29_999);
    expect(admitted).toHaveLength(3);
    await time.pass(1);
    expect(admitted).toHaveLength(5);
    await time.pass(30_000);
    expect(admitted).toHaveLength(6);
  });

  it('is the lower of two caps for one model', async () => {
    const { limiter, admitted, ask } = limited({ requestsPerMinute: 3 });
    limiter.restrict({ requestsPerMinute: 5 });
    limiter.restrict({ requestsPerMinute: 2 });
    await ask(4);
    expect(admitted).toHaveLength(2);
  });
});

describe('tokensPerMinute', () => {
  const large = { characters: 400, maxOutputTokens: 0 };

  it('counts an estimate first, and the actual tokens when they are known', async () => {
    const { time, admitted, ask, end } = limited({ tokensPerMinute: 250 });
    await ask(4, large);
    expect(admitted).toHaveLength(2);
    await end(answered(10));
    expect(admitted).toHaveLength(2);
    await end(answered(150));
    expect(admitted).toHaveLength(1);
    await time.pass(60_000);
    expect(admitted).toHaveLength(2);
  });

  it('counts nothing for a refused call', async () => {
    const { admitted, ask, end } = limited({ tokensPerMinute: 150 });
    await ask(2, large);
    expect(admitted).toHaveLength(1);
    await end(refused());
    expect(admitted).toHaveLength(1);
  });

  it('admits a call above the cap when no other call counts', async () => {
    const { time, admitted, ask } = limited({ tokensPerMinute: 150 });
    await ask(1, large);
    await ask(1, { characters: 4_000, maxOutputTokens: 0 });
    expect(admitted).toHaveLength(1);
    await time.pass(60_000);
    expect(admitted).toHaveLength(2);
  });

  it('expects answers as long as earlier ones, within their maximum', async () => {
    const { admitted, ask, end, limiter } = limited({ tokensPerMinute: 1_000 });
    for (let call = 0; call < 200; call++) {
      const admission = await limiter.admit({ characters: 0 }, never);
      admission.end({ kind: 'answered', tokens: 0, outputTokens: 600 });
    }
    await ask(2, { characters: 0 } as typeof small);
    expect(admitted).toHaveLength(1);
    await end(answered(0));
    await ask(3, { characters: 0, maxOutputTokens: 100 });
    expect(admitted).toHaveLength(1 + 3);
  });
});

describe('a call that waits', () => {
  it('stops waiting when it is aborted, and the calls after it continue', async () => {
    const { time, limiter, admitted, ask, end } = limited();
    await ask(1);
    await end(refused(1_000));
    const controller = new AbortController();
    const waiting = limiter.admit(small, controller.signal).catch((reason: unknown) => reason);
    await ask(1);
    controller.abort('given up');
    expect(await waiting).toBe('given up');
    await time.pass(1_000);
    expect(admitted).toHaveLength(1);
    expect(await limiter.admit(small, AbortSignal.abort('before')).catch((reason: unknown) => reason)).toBe('before');
  });
});
