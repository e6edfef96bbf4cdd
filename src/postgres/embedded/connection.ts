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

/** The two logins of a server that is up. */
export interface Logins {
  readonly app: Connection;
  readonly owner: Connection;
}

/**
 * What a supervisor answers to whoever connects to its control socket; `clients` counts every open connection, the asker's too. The logins' passwords are
 * blank: a client reads them from the store's folder, which is closed to other users.
 */
export type Answer = (Logins & { readonly clients: number }) | { readonly error: string };

/** What a client says to have the server stopped. A client that says anything else is disconnected. */
export const stopRequest = 'stop\n';

/** The files of a store's folder that hold the passwords. */
export const passwordFiles: Readonly<Record<keyof Logins, string>> = { app: 'app-password', owner: 'owner-password' };

/** The owner of everything; the role that the program logs in as; the database. */
export const ownerRole = 'distilog_owner';
export const appRole = 'distilog_app';
export const databaseName = 'distilog';
