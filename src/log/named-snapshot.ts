import { currentData, type DataOf } from '../../schema/index.ts';
import { sha256 } from '../kit/sha256.ts';
import type { FoundSnapshot, SnapshotKey } from './snapshot-store.ts';

/** Returns why a stored snapshot is not named in the log, or null if it is. Computes one hash of the state. */
export function explainUnnamed({ projection, version, fingerprint }: SnapshotKey, found: FoundSnapshot): string | null {
  const { position, namedAt, state, naming } = found;
  const upcastResult = naming?.type === 'SnapshotsTaken' ? currentData(naming.type, naming.version, parseJson(naming.data)) : null;
  if (!upcastResult?.known) return `the log holds no SnapshotsTaken event at position ${namedAt}, which should name its hash`;
  const { data } = upcastResult as { readonly data: DataOf<'SnapshotsTaken'> };
  const named =
    data.position === position && position < namedAt && data.fingerprint === fingerprint
      ? data.states.find((each) => each.projection === projection && each.version === version)
      : undefined;
  if (!named) return `position ${namedAt} of the log does not name it`;
  return named.sha256 === sha256(state) ? null : `it does not have the hash that position ${namedAt} of the log names`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
