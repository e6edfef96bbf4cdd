import type { Area } from './area.ts';
import { resume } from './resume.ts';
import { storage } from './storage.ts';
import { timeTravel } from './time-travel.ts';

export const areas: readonly Area[] = [timeTravel, resume, storage];
