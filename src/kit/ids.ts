import { customAlphabet } from 'nanoid';

// No vowels and no look-alikes: ids are read aloud, typed, and never spell a word.
const alphabet = '23456789bcdfghjkmnpqrstvwxz';
const six = customAlphabet(alphabet, 6);
const twenty = customAlphabet(alphabet, 20);

/** Returns the id of a new run: the pipeline's name and six characters, such as `dictionary-7k2m4q` (27^6 = 387 million per pipeline name). */
export const newRunId = (pipeline: string): string => `${pipeline.toLowerCase()}-${six()}`;

/** Returns an id that never repeats in practice (95 bits), for appends, workers and temporary names. */
export const newId = (): string => twenty();
