/** How to reach the server, as `pg` takes it. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: false;
  readonly options: typeof noOptions;
}

/** PGOPTIONS in the environment is not ours. A blank, because `pg` takes '' for not given. */
export const noOptions = ' ';

/** What a supervisor answers to whoever connects to its control socket. */
export type Answer = { readonly app: Connection; readonly owner: Connection } | { readonly error: string };

/** The owner of everything; the role that the program logs in as; the database. */
export const ownerRole = 'distilog_owner';
export const appRole = 'distilog_app';
export const databaseName = 'distilog';
