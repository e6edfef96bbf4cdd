import type { Area } from './area.ts';
import { bounds } from './bounds/bounds.ts';
import { crashPoints } from './runs/crash-points.ts';
import { embedded } from './embedded.ts';
import { fuzz } from './fuzz.ts';
import { ghosts } from './runs/ghosts.ts';
import { kills } from './runs/kills.ts';
import { order } from './order/order.ts';
import { past } from './runs/past.ts';
import { postgres } from './postgres/postgres.ts';
import { simulator } from './simulator.ts';

/** Every kind of attack, in the order in which a storm runs them. */
export const areas: readonly Area[] = [embedded, crashPoints, kills, ghosts, past, postgres, order, simulator, bounds, fuzz];
