import { Limiter, type Caps } from './limiter.ts';

interface Shared {
  readonly limiter: Limiter;
  users: number;
}

const shared = new Map<unknown, Shared>();

/** The one limiter of what `key` stands for in this process: two definitions of one model share it, and the lower caps of the two. */
export function acquireLimiter(key: unknown, caps: Caps): Limiter {
  const known = shared.get(key) ?? { limiter: new Limiter(), users: 0 };
  known.limiter.restrict(caps);
  known.users++;
  shared.set(key, known);
  return known.limiter;
}

/** Gives a limiter back; the last one who does forgets it. */
export function releaseLimiter(key: unknown): void {
  const known = shared.get(key);
  if (known && --known.users === 0) shared.delete(key);
}
