export { rehearse, type Rehearsal, type RehearsalOptions, type RejectedInRehearsal } from './rehearse.ts';
export type { Stub } from './rehearsed-plan.ts';
