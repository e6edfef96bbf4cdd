import type { Area } from './area.ts';
import { embedded } from './embedded.ts';
import { order } from './order.ts';
import { postgres } from './postgres.ts';

/** Every kind of attack, in the order in which a storm strikes. */
export const areas: readonly Area[] = [embedded, postgres, order];
