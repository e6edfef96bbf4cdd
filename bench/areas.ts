import type { Area } from './area.ts';

export const areas: readonly Area[] = [];
