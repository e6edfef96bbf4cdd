import type { Area } from './area.ts';
import { bounds } from './bounds.ts';
import { embedded } from './embedded.ts';
import { fuzz } from './fuzz.ts';
import { simulator } from './simulator.ts';

/** Every kind of attack, in the order in which a storm strikes. */
export const areas: readonly Area[] = [embedded, simulator, bounds, fuzz];
