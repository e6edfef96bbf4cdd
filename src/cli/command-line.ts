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

/** Returns the command line. Parsing arguments runs one command and throws that command's errors, or a `CommanderError` for wrong usage. */
export function createCommandLine(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command('distilog')
    .description(
      'Generates synthetic datasets by running rows through a DAG of steps.\nRecords every event in PostgreSQL, so a dataset can be read as of any position of the log.',
    )
    .version(programVersions().distilog, '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Print help')
    .helpCommand('help [command]', 'Print help for a command')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.printText(text.trimEnd()), writeErr: (text) => terminal.note(text.trimEnd()) })
    .showHelpAfterError('(--help describes the options)')
    .addHelpText(
      'after',
      `
RUN is a run id or a unique prefix of one. Without RUN, commands use the newest
run. Without RUN, resume, retry, pause and cancel use the only run that they
can act on.
STEP is a step, or a config of the dataset that shows it. If both have the name,
the step is used.
AS-OF is a position (1234), a time (2026-11-24T10:30, local unless it names a
zone), an age (5m) or head.
The store is --store, DISTILOG_STORE or DATABASE_URL. Without them it is a
PostgreSQL server that distilog runs itself, in .distilog/ of this folder.
Exit codes: 0 succeeded, 1 failed, 2 wrong usage, 3 partial, 4 paused.
An error is printed as error[CODE]: MESSAGE. docs/ERRORS.md lists the codes.`,
    );
  for (const register of registrations) register(program, context);
  return program;
}
