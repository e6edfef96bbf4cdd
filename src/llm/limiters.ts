import { Limiter, type Caps } from './limiter.ts';

interface SharedLimiter {
  readonly limiter: Limiter;
  users: number;
}

const shared = new Map<unknown, SharedLimiter>();

/** Returns the limiter for `key` in this process. Two definitions of one model share it and the lower caps of the two. */
export function acquireLimiter(key: unknown, caps: Caps): Limiter {
  const entry = shared.get(key) ?? { limiter: new Limiter(), users: 0 };
  entry.limiter.restrict(caps);
  entry.users++;
  shared.set(key, entry);
  return entry.limiter;
}

/** Releases a limiter. The last release removes it. */
export function releaseLimiter(key: unknown): void {
  const entry = shared.get(key);
  if (entry && --entry.users === 0) shared.delete(key);
}
