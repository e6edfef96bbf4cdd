export { rehearse, type Rehearsal, type RehearsalOptions, type RejectedInRehearsal } from './rehearse.ts';
export type { SourceStub, StepStub } from './rehearsed-plan.ts';
