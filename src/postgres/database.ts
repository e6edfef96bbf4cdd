import type { ColumnType } from 'kysely';

/** A column that the program writes only through the SQL functions. */
type Recorded<T> = ColumnType<T, never, never>;

/** The tables of schema `distilog` with the types that queries return: int8 as number, timestamptz as text in UTC. */
export interface Database {
  readonly 'distilog.heads': {
    log_id: Recorded<string>;
    position: Recorded<number>;
    recorded_at: Recorded<string>;
    epoch: Recorded<number>;
    hash: Recorded<Buffer>;
  };
  readonly 'distilog.commits': {
    log_id: Recorded<string>;
    first: Recorded<number>;
    last: Recorded<number>;
    recorded_at: Recorded<string>;
    clock: Recorded<string>;
    append_id: Recorded<string>;
    epoch: Recorded<number>;
    writer: Recorded<string>;
    root: Recorded<Buffer>;
    hash: Recorded<Buffer>;
  };
  readonly 'distilog.events': {
    log_id: Recorded<string>;
    position: Recorded<number>;
    recorded_at: Recorded<string>;
    type: Recorded<string>;
    version: Recorded<number>;
    pass: Recorded<number | null>;
    step: Recorded<string | null>;
    batch: Recorded<number | null>;
    attempt: Recorded<number | null>;
    chunks: Recorded<readonly string[]>;
    data: Recorded<string>;
    leaf: Recorded<Buffer>;
  };
  readonly 'distilog.chunks': { sha256: Buffer; codec: string; length: number; body: Buffer };
  readonly 'distilog.snapshots': {
    log_id: Recorded<string>;
    projection: Recorded<string>;
    version: Recorded<number>;
    fingerprint: Recorded<string>;
    position: Recorded<number>;
    named_at: Recorded<number>;
    state: Recorded<string>;
  };
}
