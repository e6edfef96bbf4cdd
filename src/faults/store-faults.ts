import type { FaultEntries } from './entry.ts';

/** Faults of a store: its server, its schema, what it holds. */
export const storeFaults = {
  'append-failed': {
    kind: 'fault',
    happened: 'PostgreSQL refused an append with an error that another attempt would meet again.',
    advice: 'Correct the cause that the message names, then run `distilog resume RUN`.',
  },
  'chunk-corrupted': {
    kind: 'fault',
    happened: 'Stored rows do not have the hash that the log names.',
    advice: 'Run `distilog verify RUN`, and restore the store from a backup.',
  },
  'chunk-missing': {
    kind: 'fault',
    happened: 'Rows that the log names are not in the store.',
    advice: 'Run `distilog verify RUN`, and restore the store from a backup.',
  },
  'connection-lost': {
    kind: 'fault',
    happened: 'The connection to PostgreSQL broke and did not come back in time.',
    advice: 'Bring the server back, then run `distilog resume RUN`. No recorded row is lost.',
  },
  'database-error': {
    kind: 'fault',
    happened: 'PostgreSQL reported an error that has no code of its own here.',
    advice: "Correct the cause that the message names. The server's log may say more.",
  },
  'disk-full': {
    kind: 'fault',
    happened: 'The disk of the server or of the output is full. Nothing that was acknowledged is lost.',
    advice: 'Free some space, then repeat the command or resume the run.',
  },
  'embedded-failed': {
    kind: 'fault',
    happened: "The folder's own PostgreSQL cannot be started, reached or stopped.",
    advice: 'Follow the message, or name a server with `--store`.',
  },
  'embedded-in-use': {
    kind: 'usage',
    happened: 'Other processes use the server that is to be stopped.',
    advice: 'End them first, or say `--force`.',
  },
  'fsync-off': {
    kind: 'usage',
    happened: 'The server runs with `fsync = off`, so it may lose what it acknowledges.',
    advice: 'Switch `fsync` on, or name another store.',
  },
  'hash-mismatch': {
    kind: 'fault',
    happened: 'The hash of stored events is not the one that was computed for them: something changes them on their way.',
    advice: 'Run `distilog db status`, which names what differs from the schema, then `distilog verify RUN`.',
  },
  'head-held': {
    kind: 'fault',
    happened: 'An append waited in vain for a transaction that another client keeps open.',
    advice: 'Commit or end that transaction, then run `distilog resume RUN`.',
  },
  'login-too-powerful': {
    kind: 'usage',
    happened: '`sql` was called with a login that has rights beyond the database. Nothing was run.',
    advice: 'Log in as a role that may only read.',
  },
  'no-such-database': {
    kind: 'usage',
    happened: 'The server does not have the database that the store names.',
    advice: 'Create it, or name another.',
  },
  'no-such-store': {
    kind: 'usage',
    happened: 'The folder holds no store that could be trusted.',
    advice: 'Give the folder that contains `.distilog`.',
  },
  'not-a-store': {
    kind: 'usage',
    happened: 'The store is no URL of a PostgreSQL server.',
    advice: 'Write `postgres://user:password@host:port/database`.',
  },
  'not-allowed': {
    kind: 'usage',
    happened: 'The login may not do this.',
    advice: 'Log in as another role, or grant it what the message names.',
  },
  'not-migrated': {
    kind: 'usage',
    happened: 'The store is not set up for this version.',
    advice: 'Run `distilog db migrate` once. `--dry-run` shows its SQL.',
  },
  'not-seized': {
    kind: 'fault',
    happened: 'The lock of the run did not become free after its holder was ended.',
    advice: 'Stop the process that drives the run, then resume again.',
  },
  'not-utf8': {
    kind: 'usage',
    happened: 'The database does not store text as UTF-8.',
    advice: "Create one with encoding 'UTF8', or name another.",
  },
  'read-only': {
    kind: 'usage',
    happened: 'The server takes no writes; it may be a standby.',
    advice: 'Name a server that writes.',
  },
  'schema-too-new': {
    kind: 'usage',
    happened: 'A newer version of distilog migrated the store.',
    advice: 'Update distilog, or name another store.',
  },
  'server-too-old': {
    kind: 'usage',
    happened: 'The server is older than PostgreSQL 15.',
    advice: 'Update the server, or name another store.',
  },
  'snapshot-differs': {
    kind: 'fault',
    happened: 'Another state is stored under the key of a snapshot.',
    advice: 'Run `distilog verify RUN`, then `distilog rebuild RUN`.',
  },
  'snapshot-not-named': {
    kind: 'fault',
    happened: 'The log does not name the snapshot that was to be stored. It was not stored.',
    advice: 'Run `distilog rebuild RUN`.',
  },
  'standby-away': {
    kind: 'fault',
    happened: 'The server acknowledges no commit, because a synchronous standby is away.',
    advice: 'Start the standby, or have an administrator change `synchronous_standby_names`.',
  },
  'state-unusable': {
    kind: 'usage',
    happened: 'The folder in which distilog records what this user made cannot be used.',
    advice: 'Set `XDG_STATE_HOME` to a folder that this user owns.',
  },
  'store-not-trusted': {
    kind: 'usage',
    happened: 'This user did not make the embedded store at this place. It was not opened.',
    advice: 'If you trust all that it holds, run `distilog db trust`.',
  },
  'store-unreachable': {
    kind: 'fault',
    happened: 'No PostgreSQL server answers at the place that the store names.',
    advice: 'Start the server, or name another with `--store`.',
  },
  'too-many-connections': {
    kind: 'fault',
    happened: 'The server takes no more connections.',
    advice: 'End some, or raise `max_connections`.',
  },
  'transaction-pooler': {
    kind: 'usage',
    happened: 'The store is a connection pooler in transaction mode, where a run would lose its lock.',
    advice: 'Name the server itself, or a pool in session mode.',
  },
  'wrong-password': {
    kind: 'usage',
    happened: 'The server does not accept the user or the password.',
    advice: 'Check both in the URL of the store.',
  },
} as const satisfies FaultEntries;
