export { type Rest, type StopWish } from './driver.ts';
export {
  cancelRun,
  reopenRun,
  resumeRun,
  startRun,
  type DriveContext,
  type DrivenRun,
  type Reopening,
  type ReopenOptions,
  type ResumeOptions,
} from './run.ts';
export type { BatchEnd, BatchTask, Freed, Journal, WishPause, Worker } from './worker-port.ts';
