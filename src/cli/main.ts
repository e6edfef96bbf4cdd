import { Command, CommanderError, Option } from 'commander';
import { handleUnhandledErrors, program as programVersions } from '../engine/index.ts';
import { Fault } from '../kit/fault.ts';
import { AssertionError } from '../kit/assert.ts';
import { describeThrown, isInstance } from '../kit/describe-thrown.ts';
import { dbMigrate, dbStart, dbStop, dbTrust, dbUrl } from './commands/db.ts';
import { dbStatus } from './commands/db-status.ts';
import { distiset } from './commands/distiset.ts';
import { errors } from './commands/errors.ts';
import { init } from './commands/init.ts';
import { history } from './commands/history.ts';
import { log } from './commands/log.ts';
import { rebuild } from './commands/rebuild.ts';
import { request } from './commands/request.ts';
import { resume } from './commands/resume.ts';
import { retry } from './commands/retry.ts';
import { run } from './commands/run.ts';
import { rows } from './commands/rows.ts';
import { runs } from './commands/runs.ts';
import { sql } from './commands/sql.ts';
import { status } from './commands/status.ts';
import { tryPipeline } from './commands/try.ts';
import { trace } from './commands/trace.ts';
import { verify } from './commands/verify.ts';
import type { CommandContext } from './context.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { lostOutput } from './output.ts';
import { processTerminal } from './terminal.ts';

/** Signals after which the process ends whatever it is doing. */
const signalsMax = 3;

/** The command line: parses arguments, runs a command, and turns what it throws into a sentence and an exit code. */
export async function main(args: readonly string[]): Promise<void> {
  let exitCode = 0;
  let exitCodeOfOutput: number = exitCodes.done;
  let needsOutput = true;
  // Taken now: while steps run, `process.exit` is what they get.
  const exitProcess: typeof process.exit = process.exit.bind(process);
  const leave = () => exitProcess(exitCode === 0 ? exitCodeOfOutput : exitCode);
  const terminal = processTerminal((error) => {
    // A reader that left, as `head` does, has what it wanted.
    if (error.code !== 'EPIPE') {
      exitCodeOfOutput = exitCodes.failed;
      terminal.note(`${terminal.paint('red', 'error:')} ${lostOutput(error)}${needsOutput ? '' : ' The run goes on.'}`);
    }
    if (needsOutput) leave();
  });
  let handler: ((count: number) => void) | null = null;
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signals++;
      if (!handler || signals >= signalsMax) exitProcess(signal === 'SIGINT' ? 130 : 143);
      handler(signals);
    });
  }
  const context: CommandContext = {
    terminal,
    exit: (code) => {
      if (exitCode === 0) exitCode = code;
    },
    onInterrupt: (next) => {
      handler = next;
    },
    goOnWithoutOutput: () => {
      needsOutput = false;
    },
  };
  handleUnhandledErrors((error) => {
    terminal.note(`${terminal.paint('red', 'error:')} ${explained(error)}`);
    exitProcess(exitCodeOfError(error));
  });
  try {
    await commandLine(context).parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (isInstance(error, CommanderError)) exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    else {
      terminal.note(`${terminal.paint('red', 'error:')} ${explained(error)}`);
      exitCode = exitCodeOfError(error);
    }
  }
  process.exitCode = exitCode === 0 ? exitCodeOfOutput : exitCode;
  // What a step left open (a timer, a socket, a call that never settles) is no reason to stay.
  setTimeout(leave, lingerMs).unref();
}

const lingerMs = 2_000;

function explained(error: unknown): string {
  const { message, stack } = describeThrown(error);
  // What can only be a bug of ours is reported with its place.
  const isBug = isInstance(error, AssertionError) || (isInstance(error, TypeError) && !isInstance(error, Fault));
  return isBug && stack !== '' ? stack : message;
}

/** A run and a file, either of which may be left out: a run's id has neither a dot nor a slash in it. */
const runAndFile = (which: string | undefined, file: string | undefined): readonly [string | undefined, string | undefined] =>
  file === undefined && which !== undefined && /[./\\]/.test(which) ? [undefined, which] : [which, file];

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** The catalogue of commands. Parsing arguments with it runs one, and throws what it throws, a `CommanderError` for wrong usage. */
export function commandLine(context: CommandContext): Command {
  const { terminal } = context;
  const root = new Command('distilog')
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
  const command = (spec: string, description: string) =>
    root
      .command(spec)
      .description(description)
      .exitOverride()
      .option('--store <url>', 'the PostgreSQL server to use')
      .option('--json', 'for machines');
  const param = () => new Option('--param <name=value>', 'a param of the pipeline; may be repeated').argParser(collect).default([], 'none');
  const concurrency = () =>
    new Option('--concurrency <step=n>', 'calls of a step in flight; may be repeated').argParser(collect).default([], 'none');

  root
    .command('init <file>')
    .description('write a pipeline that reads a JSONL, CSV or Parquet file')
    .exitOverride()
    .option('--out <file>', 'the pipeline', 'pipeline.ts')
    .option('--force', 'overwrite it')
    .option('--json', 'for machines')
    .action((file, options) => init(context, file, options));
  command('run <file>', 'start a run of a pipeline file')
    .addOption(param())
    .addOption(concurrency())
    .option('--seed <n>', 'seed of everything random (default: a random one, recorded)')
    .option('--no-reject-limit', 'go on however many rows a step rejects')
    .action((file, options) => run(context, file, options));
  root
    .command('try <file>')
    .description("a pipeline's first rows, shown after every step; nothing is stored")
    .exitOverride()
    .option('--rows <n>', 'rows that each source reads (default: 3)')
    .addOption(param())
    .option('--json', 'for machines')
    .action((file, options) => tryPipeline(context, file, options));
  command('resume [run] [file]', 'go on after a crash or a pause')
    .addOption(param())
    .addOption(concurrency())
    .option('--accept-changes', 'go on with a pipeline that has changed, and record it')
    .option('--take-over', 'end the process that drives the run')
    .addOption(new Option('--skip <step/batch>', 'give a batch up; may be repeated').argParser(collect).default([], 'none'))
    .option('--no-reject-limit', 'go on however many rows a step rejects')
    .action((which, file, options) => resume(context, ...runAndFile(which, file), options));
  command('retry [run] [file]', 'try the rejected rows of a finished run again, in a new pass')
    .addOption(new Option('--step <name>', 'those of this step; may be repeated').argParser(collect).default([], 'all'))
    .addOption(new Option('--code <code>', 'those with this cause; may be repeated').argParser(collect).default([], 'all'))
    .addOption(param())
    .addOption(concurrency())
    .option('--accept-changes', 'with a pipeline that has changed, and record it')
    .option('--no-reject-limit', 'go on however many rows a step rejects')
    .action((which, file, options) => retry(context, ...runAndFile(which, file), options));
  const listing = (listed: Command) =>
    listed
      .option('--limit <n>', 'the newest n (default: 20)')
      .addOption(new Option('--all', 'every run').conflicts('limit'))
      .option('--since <time>', 'those that started then or later: a time (2026-11-24T10:30) or an age (2h, 7d)')
      .option('--before <run>', 'those older than this run');
  listing(command('runs', 'runs, newest first'))
    .option('--pipeline <name>', 'of this pipeline only')
    .option('--at <as-of>', 'as of a time')
    .action((options) => runs(context, options));
  command('status [run]', 'the steps of a run: how far, what was lost')
    .option('--at <as-of>', 'as of then')
    .option('--follow', 'live, until the run is at rest; the exit code tells how it ended')
    .action((which, options) => status(context, which, options));
  command('log [run]', 'the events of a run, one a line')
    .option('--follow', 'go on as it grows')
    .addOption(new Option('--type <type>', 'events of this type; may be repeated').argParser(collect))
    .option('--step <name>', 'events of this step')
    .option('--from <as-of>', 'from here on')
    .option('--to <as-of>', 'up to here')
    .option('--side', 'of the side log: requests, exports')
    .action((which, options) => log(context, which, options));
  listing(command('history <pipeline>', 'the runs of a pipeline: who did what, what changed, what was exported')).action(
    (pipeline, options) => history(context, pipeline, options),
  );
  command('rows [run]', 'rows of any step, as they are')
    .option('--step <name>', 'whose rows')
    .option('--first <n>', 'the first ones (default: 10)')
    .option('--last <n>', 'the last ones')
    .option('--random <n>', 'any, each as likely as the others')
    .option('--at <as-of>', 'as of then')
    .option('--follow', 'the last ones, then new ones as their batches succeed, until the run is at rest')
    .action((which, options) => rows(context, which, options));
  command('distiset [run]', 'the dataset as of a position: a preview, or written with --out')
    .option('--at <as-of>', 'as of then (default: head)')
    .option('--out <dir>', 'write it here; the directory must not exist')
    .addOption(new Option('--format <format>', 'of the files').choices(['parquet', 'jsonl', 'csv']).default('parquet'))
    .addOption(new Option('--compression <codec>', 'of Parquet files').choices(['snappy', 'zstd']).default('zstd'))
    .option('--csv-escape-formulas', 'in CSV files, put an apostrophe before texts that a spreadsheet would run as formulas')
    .addOption(
      new Option('--include <which>', 'all that was committed, or finished leaves only')
        .choices(['committed', 'finished'])
        .default('committed'),
    )
    .addOption(new Option('--step <name>', 'this step instead of the leaves; may be repeated').argParser(collect).default([], 'none'))
    .action((which, options) => distiset(context, which, options));
  command('errors [run]', 'what was lost, by cause, then row by row')
    .option('--at <as-of>', 'as of then')
    .option('--all', 'every row')
    .option('--export <file>', 'write the rows that were lost to a file, as they went in, each with its cause: JSON lines')
    .action((which, options) => errors(context, which, options));
  command('trace <run-or-row> [row]', 'how a row came to be: each step, its attempts and calls, up to the source')
    .usage('[options] [run] <row>')
    .option('--at <as-of>', 'number rows as of then')
    .addHelpText(
      'after',
      '\nROW is STEP:N (its n-th row, from 0), STEP:BATCH/ROW as rows shows it, or FILE:N of an exported file.\nSTEP may be the config that the dataset shows, such as default.',
    )
    .action((first, second, options) =>
      second === undefined ? trace(context, undefined, first, options) : trace(context, first, second, options),
    );
  command('verify [run]', 'recompute the hash chain, every chunk and every snapshot')
    .option('--head <hash>', 'a hash noted elsewhere, which the chain must hold')
    .option('--distiset <dir>', 'a dataset that was written: its files, and its rows in the log')
    .action((which, options) => verify(context, which, options));
  command('rebuild [run]', 'fold the log without snapshots, and store those again that are missing or false')
    .option('--check', 'compare only')
    .action((which, options) => rebuild(context, which, options));
  command('sql <statement>', 'a select on the tables and views of the store; it changes nothing')
    .option('--rows <n>', 'rows shown at most (default: 1000)')
    .addHelpText('after', sqlHelp)
    .action((statement, options) => sql(context, statement, options));
  command('pause [run]', 'ask a run to pause').action((which, options) => request(context, 'pause', which, options));
  command('cancel [run]', 'ask a run to end').action((which, options) => request(context, 'cancel', which, options));

  const db = root.command('db').description('the store itself').exitOverride();
  const dbCommand = (name: string, description: string) =>
    db
      .command(name)
      .description(description)
      .exitOverride()
      .option('--store <url>', 'the PostgreSQL server to use')
      .option('--json', 'for machines');
  dbCommand('status', 'which store is used, and what guards it; starts and changes nothing').action((options) =>
    dbStatus(context, options),
  );
  dbCommand('start', 'bring the embedded server up, and keep it').action((options) => dbStart(context, options));
  dbCommand('stop', 'stop the embedded server')
    .option('--force', 'though other processes work with it')
    .action((options) => dbStop(context, options));
  db.command('trust [folder]')
    .description('accept the embedded store of a folder that another user made, or that was moved, copied or unpacked')
    .exitOverride()
    .option('--json', 'for machines')
    .addHelpText('after', trustHelp)
    .action((folder, options) => dbTrust(context, folder, options));
  dbCommand('url', 'where the store is, for psql')
    .option('--admin', "the owner's login (embedded store only)")
    .action((options) => dbUrl(context, options));
  dbCommand('migrate', "bring a server to this version's schema")
    .option('--dry-run', 'show the SQL')
    .action((options) => dbMigrate(context, options));
  return root;
}

const trustHelp = `
A store can run programs as you: trust it only if you trust all that it holds, functions in its database included.
DISTILOG_TRUST_STORE=FOLDER, an absolute path, does the same for one process, in a container or CI.`;

const sqlHelp = `
The views and tables of schema distilog need no prefix; history is the log with its data as jsonb:
  distilog sql "select type, count(*) from history group by type order by 2 desc"
It runs in a read-only transaction, may take 30 seconds, and is refused with the login of a superuser.`;
