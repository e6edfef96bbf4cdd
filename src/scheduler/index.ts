export type { Command } from './commands.ts';
export { decide } from './decide.ts';
export { Driver, type Rest, type StopWish } from './driver.ts';
export {
  cancelRun,
  isFenced,
  reopenRun,
  resumeRun,
  startRun,
  type DriveContext,
  type DrivenRun,
  type Reopening,
  type ReopenOptions,
  type ResumeOptions,
  type StartOptions,
} from './run.ts';
export type { Load } from './room.ts';
export type { BatchEnd, BatchTask, Freed, Journal, WishPause, Worker } from './worker-port.ts';
