import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runMeasured, type Measurement } from './measured-process.ts';

/** Path of the Python interpreter in the peers' virtual environment. */
export const interpreter = fileURLToPath(new URL('peers/python/.venv/bin/python', import.meta.url));

/** Returns why Python peers cannot run here, or undefined if they can. */
export const pythonMissing = (): string | undefined =>
  fs.existsSync(interpreter) ? undefined : 'bench/peers/python has no .venv. See docs/BENCHMARKS.md.';

/** Runs a peer's program offline, with a temporary home folder. */
export function pythonProcess<T extends Measurement = Measurement>(
  program: URL,
  args: readonly (string | number)[],
  home: string,
): Promise<T> {
  // Lets the math library detect the processor by itself.
  const { OPENBLAS_CORETYPE: _coreType, OPENBLAS_L2_SIZE: _cacheSize, ...environment } = process.env;
  return runMeasured<T>(interpreter, [fileURLToPath(program), ...args.map(String)], {
    ...environment,
    HOME: home,
    HF_HOME: home,
    HF_HUB_OFFLINE: '1',
  });
}
