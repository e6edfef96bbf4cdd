import { rowBytesMax } from '#schema';
import { formatBytes } from '#kit/bytes';
import { messageOf } from '#kit/fault';
import type { Checked } from '#pipeline';
import { encodeValues, rowBytes } from '#rows';

/** A row's values as they are stored, or why they cannot be. */
export type Storable =
  | { readonly ok: true; readonly values: readonly string[]; readonly bytes: number; readonly undeclared: readonly string[] }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Checked values as they are stored. */
export function storable(checked: Checked): Storable {
  if (!checked.ok) return checked;
  let values: readonly string[];
  try {
    values = encodeValues(checked.values);
  } catch (thrown) {
    return { ok: false, code: 'invalid-output', message: `the row is not JSON: ${messageOf(thrown)}` };
  }
  const bytes = rowBytes(values);
  if (bytes <= rowBytesMax) return { ok: true, values, bytes, undeclared: checked.undeclared };
  return {
    ok: false,
    code: 'row-too-large',
    message: `the row takes ${formatBytes(bytes)}; at most ${formatBytes(rowBytesMax)} are stored`,
  };
}

/** A refusal as an error that costs a row at once. */
export const refusal = ({ code, message }: { readonly code: string; readonly message: string }): Error =>
  Object.assign(new Error(message), { code, retryable: false });
