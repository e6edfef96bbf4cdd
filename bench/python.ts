import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { told, type Told } from './measured-process.ts';

/** The interpreter that finds the peers: of an environment of their own. */
export const interpreter = fileURLToPath(new URL('peers/python/.venv/bin/python', import.meta.url));

/** Why peers in Python cannot be tried here, if they cannot. */
export const pythonMissing = (): string | undefined =>
  fs.existsSync(interpreter) ? undefined : 'bench/peers/python has no .venv: see docs/BENCHMARKS.md';

/** Runs a peer's program. What it keeps at home goes to a folder that is thrown away, and it asks no network. */
export function pythonProcess<T extends Told = Told>(program: URL, args: readonly (string | number)[], home: string): Promise<T> {
  // The mathematics library takes the processor as it is.
  const { OPENBLAS_CORETYPE: _coreType, OPENBLAS_L2_SIZE: _cacheSize, ...environment } = process.env;
  return told<T>(interpreter, [fileURLToPath(program), ...args.map(String)], {
    ...environment,
    HOME: home,
    HF_HOME: home,
    HF_HUB_OFFLINE: '1',
  });
}
