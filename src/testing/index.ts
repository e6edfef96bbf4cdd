export { rehearse, type Rehearsal, type RehearsalOptions, type RejectedInRehearsal } from './rehearse.ts';
export type { Usage as RecordedUsage, usageSchema } from '../../schema/index.ts';
export type { PlanChanges, Stub } from './rehearsed-plan.ts';
