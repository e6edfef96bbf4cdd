import type { JsonObject } from '../../kit/json.ts';
import type { AsOf } from '../../log/index.ts';
import type { Distiset, DistisetConfig } from '../create-distiset.ts';
import type { Format } from './row-file.ts';

/** The content of `distilog.json`: how a dataset was made. It does not depend on the time or place of the export. */
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
  /** The options of the export, except format and compression, which are in `writer`. Exports of 0.1.0 do not have this member. */
  readonly options: {
    readonly include: Distiset['include'];
    readonly steps: Distiset['steps'];
    readonly shardBytesMax: number;
    /** Null if the files are not CSV. */
    readonly csvEscapeFormulas: boolean | null;
  };
  /** The definitions under which rows were made, with the positions at which each applied. Exports of 0.1.0 do not have this member. */
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
  /** The writer of the files. The same events and the same writer give the same bytes. */
  readonly writer: { readonly format: Format; readonly compression: string | null; readonly library: string; readonly node: string };
}
