import { append } from './append/append.ts';
import type { Area } from './area.ts';
import { steps } from './steps/steps.ts';

export const areas: readonly Area[] = [append, steps];
