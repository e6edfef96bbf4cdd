import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Gives this process, and those that it starts, a state directory of their own, which goes with it: stores of an hour must not be recorded as the user's. */
export function useOwnState(): void {
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-state-'));
  process.env['XDG_STATE_HOME'] = state;
  process.once('exit', () => fs.rmSync(state, { recursive: true, force: true }));
}
