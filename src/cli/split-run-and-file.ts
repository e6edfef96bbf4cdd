/** Splits the arguments `[run] [file]`, both of which are optional. A run's id contains neither a dot nor a slash. */
export const splitRunAndFile = (run: string | undefined, file: string | undefined): readonly [string | undefined, string | undefined] =>
  file === undefined && run !== undefined && /[./\\]/.test(run) ? [undefined, run] : [run, file];
