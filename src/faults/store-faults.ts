import type { FaultEntries } from './entry.ts';

/** Faults of a store: its server, its schema, what it holds. */
export const storeFaults = {
  'append-failed': {
    kind: 'fault',
    happened: 'PostgreSQL refused an append with an error that a retry cannot fix.',
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
    happened: 'The connection to PostgreSQL was lost and could not be restored in time.',
    advice: 'Start the server, then run `distilog resume RUN`. No recorded row is lost.',
  },
  'database-error': {
    kind: 'fault',
    happened: 'PostgreSQL reported an error for which distilog has no code.',
    advice: "Correct the cause that the message names. The server's log may say more.",
  },
  'disk-full': {
    kind: 'fault',
    happened: 'The disk of the server or of the output is full. No acknowledged data is lost.',
    advice: 'Free disk space, then repeat the command or resume the run.',
  },
  'embedded-failed': {
    kind: 'fault',
    happened: "The folder's own PostgreSQL cannot be started, reached or stopped.",
    advice: 'Follow the message, or name a server with `--store`.',
  },
  'embedded-in-use': {
    kind: 'usage',
    happened: 'Other processes are using the server that you want to stop.',
    advice: 'End them first, or add `--force`.',
  },
  'fsync-off': {
    kind: 'usage',
    happened: 'The server runs with `fsync = off`, so it may lose data that it acknowledged.',
    advice: 'Switch `fsync` on, or name another store.',
  },
  'hash-mismatch': {
    kind: 'fault',
    happened: 'The hash of stored events differs from the one that was computed for them. Something in the database alters them.',
    advice: 'Run `distilog db status`, which names what differs from the schema, then `distilog verify RUN`.',
  },
  'head-held': {
    kind: 'fault',
    happened: 'An append timed out because another client keeps a transaction open.',
    advice: 'Commit or end that transaction, then run `distilog resume RUN`.',
  },
  'login-too-powerful': {
    kind: 'usage',
    happened: '`sql` was called with a login that has rights beyond the database. Nothing was run.',
    advice: 'Log in as a role that can only read.',
  },
  'no-such-database': {
    kind: 'usage',
    happened: 'The server does not have the database that the store names.',
    advice: 'Create it, or name another.',
  },
  'no-such-store': {
    kind: 'usage',
    happened: 'The folder does not contain a store to trust.',
    advice: 'Give the folder that contains `.distilog`.',
  },
  'not-a-store': {
    kind: 'usage',
    happened: 'The value for the store is not the URL of a PostgreSQL server.',
    advice: 'Write `postgres://user:password@host:port/database`.',
  },
  'not-allowed': {
    kind: 'usage',
    happened: 'The login does not have the rights for this.',
    advice: 'Log in as another role, or grant the rights that the message names.',
  },
  'not-migrated': {
    kind: 'usage',
    happened: 'The store is not set up for this version.',
    advice: 'Run `distilog db migrate` once. `--dry-run` shows its SQL.',
  },
  'not-seized': {
    kind: 'fault',
    happened: 'The lock of the run was not released after its holder was ended.',
    advice: 'Stop the process that drives the run, then resume again.',
  },
  'not-utf8': {
    kind: 'usage',
    happened: 'The database does not store text as UTF-8.',
    advice: "Create one with encoding 'UTF8', or name another.",
  },
  'read-only': {
    kind: 'usage',
    happened: 'The server accepts no writes. It may be a standby.',
    advice: 'Name a server that accepts writes.',
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
    happened: 'A different state is already stored under the key of a snapshot.',
    advice: 'Run `distilog verify RUN`, then `distilog rebuild RUN`.',
  },
  'snapshot-not-named': {
    kind: 'fault',
    happened: 'The log does not name the snapshot. It was not stored.',
    advice: 'Run `distilog rebuild RUN`.',
  },
  'standby-away': {
    kind: 'fault',
    happened: 'The server acknowledges no commit, because a synchronous standby is down.',
    advice: 'Start the standby, or have an administrator change `synchronous_standby_names`.',
  },
  'state-unusable': {
    kind: 'usage',
    happened: 'The folder in which distilog records the stores that this user created cannot be used.',
    advice: 'Set `XDG_STATE_HOME` to a folder that this user owns.',
  },
  'store-not-trusted': {
    kind: 'usage',
    happened: 'This user did not create the embedded store in this folder. It was not opened.',
    advice: 'If you trust its whole content, run `distilog db trust`.',
  },
  'store-unreachable': {
    kind: 'fault',
    happened: 'No PostgreSQL server answers at the address of the store.',
    advice: 'Start the server, or name another with `--store`.',
  },
  'too-many-connections': {
    kind: 'fault',
    happened: 'The server accepts no more connections.',
    advice: 'Close some connections, or raise `max_connections`.',
  },
  'transaction-pooler': {
    kind: 'usage',
    happened: 'The store is a connection pooler in transaction mode. A run would lose its lock there.',
    advice: 'Name the server itself, or a pool in session mode.',
  },
  'wrong-password': {
    kind: 'usage',
    happened: 'The server rejected the user or the password.',
    advice: 'Check both in the URL of the store.',
  },
} as const satisfies FaultEntries;
