export { RejectLimit } from './reject-limit.ts';
export { JournalClock } from './journal-clock.ts';
export { Lanes } from './lanes.ts';
export { LoadMeter } from './load-meter.ts';
export { Resources } from './resources.ts';
export { runBatch } from './run-batch.ts';
export { closeSource, type OpenSources } from './run-source.ts';
export { SourceKeys } from './source-keys.ts';
