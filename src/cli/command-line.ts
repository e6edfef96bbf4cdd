import { Command } from 'commander';
import { program as programVersions } from '../engine/index.ts';
import { registerDb } from './commands/db.ts';
import { registerDistiset } from './commands/distiset.ts';
import { registerErrors } from './commands/errors.ts';
import { registerHistory } from './commands/history.ts';
import { registerInit } from './commands/init.ts';
import { registerLog } from './commands/log.ts';
import { registerRebuild } from './commands/rebuild.ts';
import { registerRequests } from './commands/request.ts';
import { registerResume } from './commands/resume.ts';
import { registerRetry } from './commands/retry.ts';
import { registerRows } from './commands/rows.ts';
import { registerRun } from './commands/run.ts';
import { registerRuns } from './commands/runs.ts';
import { registerSql } from './commands/sql.ts';
import { registerStatus } from './commands/status.ts';
import { registerTrace } from './commands/trace.ts';
import { registerTry } from './commands/try.ts';
import { registerVerify } from './commands/verify.ts';
import type { CommandContext } from './context.ts';

/** Commands in the order of the help text. Each registers its description, options and handler. */
const registrations = [
  registerInit,
  registerRun,
  registerTry,
  registerResume,
  registerRetry,
  registerRuns,
  registerStatus,
  registerLog,
  registerHistory,
  registerRows,
  registerDistiset,
  registerErrors,
  registerTrace,
  registerVerify,
  registerRebuild,
  registerSql,
  registerRequests,
  registerDb,
];

/** Returns the catalogue of commands. Parsing arguments with it runs one, and throws what it throws, a `CommanderError` for wrong usage. */
export function commandLine(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command('distilog')
    .description(
      'Makes datasets by pushing rows through a DAG of steps, and keeps every event of it in PostgreSQL:\nthe dataset can be had as of any position of the log.',
    )
    .version(programVersions().distilog)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.printText(text.trimEnd()), writeErr: (text) => terminal.note(text.trimEnd()) })
    .showHelpAfterError('(--help tells more)')
    .addHelpText(
      'after',
      `
RUN may be shortened to a unique prefix, or left out: the newest run; for resume, retry, pause and cancel the only run that they fit.
Where a step is named, the name of a dataset's config means the step that it shows; a step of that name comes first.
AS-OF is a position (1234), a time (2026-11-24T10:30, local unless it names a zone), a time ago (5m) or head.
The store is --store, DISTILOG_STORE or DATABASE_URL, else a PostgreSQL of its own in .distilog/ of this folder.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partial, 4 paused.`,
    );
  for (const register of registrations) register(program, context);
  return program;
}
