import { rowBytesMax } from '../../schema/index.ts';
import { formatBytes } from '../kit/bytes.ts';
import { messageOf } from '../kit/fault.ts';
import type { Checked } from '../pipeline/index.ts';
import { encodeValues, rowBytes } from '../rows/index.ts';
import type { EncodedRow } from './row-output.ts';

/** A row after its check: encoded for storage, or refused. */
export type CheckedRow = EncodedRow | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** Encodes checked values, or refuses values that cannot be stored. */
export function checkRow(checked: Checked): CheckedRow {
  if (!checked.ok) return { kind: 'refused', code: checked.code, message: checked.message };
  let values: readonly string[];
  try {
    values = encodeValues(checked.values);
  } catch (thrown) {
    return { kind: 'refused', code: 'invalid-output', message: `the row is not JSON: ${messageOf(thrown)}` };
  }
  const bytes = rowBytes(values);
  if (bytes <= rowBytesMax) return { kind: 'row', values, bytes };
  return {
    kind: 'refused',
    code: 'row-too-large',
    message: `the row takes ${formatBytes(bytes)}; at most ${formatBytes(rowBytesMax)} are stored`,
  };
}

/** Returns a refusal as an error that rejects its row without a retry. */
export const refusalError = ({ code, message }: { readonly code: string; readonly message: string }): Error =>
  Object.assign(new Error(message), { code, retryable: false });
