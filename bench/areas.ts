import { append } from './append/append.ts';
import type { Area } from './area.ts';

export const areas: readonly Area[] = [append];
