import type { ManifestStep } from '../../schema/index.ts';

/** The members of a step that a reader of rows needs. */
export type ReadStep = Pick<ManifestStep, 'name' | 'operator' | 'upstream' | 'adds' | 'from' | 'fork' | 'key'>;
