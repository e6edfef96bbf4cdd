import type { Area } from './area.ts';
import { bounds } from './bounds.ts';
import { crashPoints } from './crash-points.ts';
import { embedded } from './embedded.ts';
import { fuzz } from './fuzz.ts';
import { ghosts } from './ghosts.ts';
import { kills } from './kills.ts';
import { order } from './order.ts';
import { past } from './past.ts';
import { postgres } from './postgres.ts';
import { simulator } from './simulator.ts';

/** Every kind of attack, in the order in which a storm strikes. */
export const areas: readonly Area[] = [embedded, crashPoints, kills, ghosts, past, postgres, order, simulator, bounds, fuzz];
