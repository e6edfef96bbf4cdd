import type { JsonObject } from '../../kit/json.ts';
import type { AsOf } from '../../log/index.ts';
import type { Distiset, DistisetConfig } from '../create-distiset.ts';
import type { Format } from './row-file.ts';

/** `distilog.json`: how a dataset came to be. Nothing in it depends on when or where it was written. */
export interface DistisetMetadata {
  readonly distilog: string;
  readonly run: {
    readonly id: string;
    readonly pipeline: string;
    readonly startedAt: string;
    readonly status: string;
    readonly seed: number;
    readonly params: JsonObject;
    readonly signature: string;
    readonly program: Distiset['program'];
  };
  readonly asOf: AsOf;
  /** What was chosen of the run and how it was cut into files; format and compression stand in `writer`. Exports of 0.1.0 do not have it. */
  readonly options: {
    readonly include: Distiset['include'];
    readonly steps: Distiset['steps'];
    readonly shardBytesMax: number;
    /** Null where the files are not CSV. */
    readonly csvEscapeFormulas: boolean | null;
  };
  /** The definitions under which rows were made, with the positions at which each applied. Exports of 0.1.0 do not have it. */
  readonly definitions: Distiset['definitions'];
  readonly configs: readonly (Omit<DistisetConfig, 'rows' | 'blocks' | 'rowsCommitted' | 'columns'> & {
    readonly rows: number;
    readonly rowsSha256: string;
    readonly files: readonly { readonly path: string; readonly rows: number; readonly bytes: number; readonly sha256: string }[];
    readonly columns: readonly { readonly name: string; readonly type: string; readonly schema: JsonObject }[];
    readonly replaced: number;
    readonly error: { readonly code: string; readonly message: string } | null;
  })[];
  readonly leftOut: Distiset['leftOut'];
  /** Who wrote the files: the same events and the same writer give the same bytes. */
  readonly writer: { readonly format: Format; readonly compression: string | null; readonly library: string; readonly node: string };
}
