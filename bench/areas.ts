import type { Area } from './area.ts';
import { distiset } from './distiset/area.ts';
import { engine } from './engine/area.ts';

export const areas: readonly Area[] = [engine, distiset];
