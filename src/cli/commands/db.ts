import type { Command } from 'commander';
import {
  findStore,
  migrate,
  openStore,
  pendingMigrations,
  stopEmbeddedStore,
  trustEmbeddedStore,
  urlOf,
  whenUp,
} from '../../postgres/index.ts';
import { Fault } from '../../kit/fault.ts';
import { exitCodes } from '../exit-codes.ts';
import { storeOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { addStoreCommand } from '../command-options.ts';
import { registerDbStatus } from './db-status.ts';

/** Registers the group `distilog db`. */
export function registerDb(program: Command, context: CommandContext): void {
  const db = program.command('db').description('Manage the store').exitOverride();
  registerDbStatus(db, context);
  addStoreCommand(db, 'start', 'Start the embedded server and keep it running').action((options) => dbStart(context, options));
  addStoreCommand(db, 'stop', 'Stop the embedded server')
    .option('--force', 'Stop it even if other processes are using it')
    .action((options) => dbStop(context, options));
  db.command('trust [folder]')
    .description('Accept the embedded store of a folder that another user created, or that was moved, copied or unpacked')
    .exitOverride()
    .option('--json', 'Print JSON')
    .addHelpText('after', trustHelp)
    .action((folder, options) => dbTrust(context, folder, options));
  addStoreCommand(db, 'url', "Print the store's URL, for psql and other tools")
    .option('--admin', "Print the URL with the owner's login (embedded store only)")
    .action((options) => dbUrl(context, options));
  addStoreCommand(db, 'migrate', "Migrate a server to this version's schema")
    .option('--dry-run', 'Print the SQL and change nothing')
    .action((options) => dbMigrate(context, options));
}

const trustHelp = `
A store can run programs as you. Trust it only if you trust all that it holds,
including the functions in its database.
DISTILOG_TRUST_STORE=FOLDER, an absolute path, does the same for one process,
such as a container or a CI job.`;

/** `distilog db start`: starts the embedded server and keeps it running until this process is interrupted. */
async function dbStart(context: CommandContext, options: CommonOptions): Promise<void> {
  const store = await openStore(storeOptions(options));
  context.terminal.print(
    `PostgreSQL ${store.serverVersion} is running. It stops a few seconds after this command ends. To end it, press Ctrl-C.`,
  );
  const heartbeat = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => context.onInterrupt(() => resolve()));
  clearInterval(heartbeat);
  await store.close();
}

interface DbStopOptions extends CommonOptions {
  readonly force?: boolean | undefined;
}

/** `distilog db stop`: stops the embedded server now, unless another process uses it. */
async function dbStop(context: CommandContext, options: DbStopOptions): Promise<void> {
  const wasUp = await stopEmbeddedStore(process.cwd(), { force: options.force });
  context.terminal.print(wasUp ? 'Stopped.' : 'No embedded server is running in this folder.');
}

/** `distilog db trust`: records that this user trusts a folder's store. Starts nothing. */
function dbTrust(context: CommandContext, folder: string | undefined, { json }: Pick<CommonOptions, 'json'>): void {
  const trusted = trustEmbeddedStore(folder ?? process.cwd());
  if (json) context.terminal.printJson({ trusted });
  else context.terminal.print(`Trusted: ${trusted}, at this path, with all that it holds.`);
}

interface DbUrlOptions extends CommonOptions {
  readonly admin?: boolean | undefined;
}

/** `distilog db url`: prints the store's URL, for psql and other tools. */
async function dbUrl(context: CommandContext, options: DbUrlOptions): Promise<void> {
  const place = await findStore(storeOptions(options));
  try {
    if (!place.isEmbedded) {
      if (options.admin)
        throw new Fault(
          'no-admin',
          "The store is your own server, so distilog knows only the login that you gave. Use that server's administrator login.",
        );
      context.terminal.print(place.connect().connectionString ?? '');
      return;
    }
    await whenUp(place, () => migrate(place.connectOwner));
    const { host = '', port = 0, user = '', password, database = '' } = options.admin ? place.connectOwner() : place.connect();
    context.terminal.print(urlOf({ host, port, user, password: String(password), database }));
  } finally {
    place.close();
  }
}

interface DbMigrateOptions extends CommonOptions {
  readonly dryRun?: boolean | undefined;
}

/** `distilog db migrate`: migrates a store to this version's schema, or prints the SQL. */
async function dbMigrate(context: CommandContext, options: DbMigrateOptions): Promise<void> {
  const place = await findStore(storeOptions(options));
  try {
    const pending = await whenUp(place, () => pendingMigrations(place.connectOwner));
    const { print, printJson, printText } = context.terminal;
    if (options.dryRun) {
      for (const { name, sql } of pending) printText(`-- ${name}\n${sql}`);
      if (pending.length === 0) print("-- Nothing to do: the store has this version's schema.");
      return;
    }
    const applied = await whenUp(place, () => migrate(place.connectOwner));
    if (options.json) printJson({ applied });
    else print(applied.length === 0 ? "Nothing to do: the store has this version's schema." : `Applied ${applied.join(', ')}.`);
    context.exit(exitCodes.done);
  } finally {
    place.close();
  }
}
