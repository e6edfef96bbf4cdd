/** Connection parameters of the server, as `pg` accepts them. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: false;
  readonly options: typeof noOptions;
}

/** Options that override PGOPTIONS in the environment. A blank, because `pg` treats '' as not given. */
export const noOptions = ' ';

/** The two logins of a server that is up. */
export interface Logins {
  readonly app: Connection;
  readonly owner: Connection;
}

/**
 * The supervisor's answer to a client that connects to its control socket. `clients` counts every open connection, including the client's own. The logins'
 * passwords are blank: a client reads them from the store's folder, which is closed to other users.
 */
export type Answer = (Logins & { readonly clients: number }) | { readonly error: string };

/** The request by which a client stops the server. A client that sends anything else is disconnected. */
export const stopRequest = 'stop\n';

/** The files of a store's folder that hold the passwords. */
export const passwordFiles: Readonly<Record<keyof Logins, string>> = { app: 'app-password', owner: 'owner-password' };

/** Names of the role that owns everything, of the role that the program logs in as, and of the database. */
export const ownerRole = 'distilog_owner';
export const appRole = 'distilog_app';
export const databaseName = 'distilog';
