import { append } from './append/append.ts';
import type { Area } from './area.ts';
import { distiset } from './distiset/area.ts';
import { engine } from './engine/area.ts';
import { losses } from './losses.ts';
import { resume } from './resume.ts';
import { runs } from './runs.ts';
import { steps } from './steps/steps.ts';
import { storage } from './storage.ts';
import { timeTravel } from './time-travel.ts';

export const areas: readonly Area[] = [append, steps, engine, distiset, timeTravel, resume, runs, losses, storage];
