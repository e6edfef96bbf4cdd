export type { RunAcquirer } from './acquire-run.ts';
export type { DriveContext } from './drive-context.ts';
export type { DrivenRun } from './drive-run.ts';
export type { Rest } from './driver.ts';
export type { Reopening } from './reopened-event.ts';
export { cancelRun, reopenRun, resumeRun, type ReopenOptions, type ResumeOptions } from './resume-run.ts';
export { startRun } from './start-run.ts';
export type { StopWish } from './stop-wish.ts';
export type { BatchEnd, BatchTask, DriverPort, PauseWish, Worker } from './worker-port.ts';
