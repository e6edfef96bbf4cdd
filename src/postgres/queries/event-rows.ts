import type { RecordedEvent } from '../../../schema/index.ts';
import { decodeEvent, type EncodedEvent } from '../../log/index.ts';

/** Columns of `distilog.events` that a reader needs. */
export const eventColumns = ['position', 'recorded_at', 'type', 'version', 'pass', 'step', 'batch', 'attempt', 'chunks', 'data'] as const;

/** A row of `distilog.events` with these columns. */
interface EventRow {
  readonly position: number;
  readonly recorded_at: string;
  readonly type: string;
  readonly version: number;
  readonly pass: number | null;
  readonly step: string | null;
  readonly batch: number | null;
  readonly attempt: number | null;
  readonly chunks: readonly string[];
  readonly data: string;
}

/** Converts a row to the column names of the log. */
export const encodedEvent = ({ recorded_at, ...row }: EventRow): EncodedEvent & { position: number; recordedAt: string } =>
  Object.assign(row, { recordedAt: recorded_at });

/** Decodes rows in order. Leaves out events that this program cannot read. */
export const decodeRows = (logId: string, rows: readonly EventRow[]): readonly RecordedEvent[] =>
  rows.flatMap((row) => decodeEvent(encodedEvent(row), logId).event ?? []);
