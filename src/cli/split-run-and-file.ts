/** Assigns the arguments `[run] [file]`, either of which may be left out: a run's id has neither a dot nor a slash in it. */
export const splitRunAndFile = (run: string | undefined, file: string | undefined): readonly [string | undefined, string | undefined] =>
  file === undefined && run !== undefined && /[./\\]/.test(run) ? [undefined, run] : [run, file];
