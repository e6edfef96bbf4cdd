import type { ConnectionOptions } from 'node:tls';

/** The address of a server and the login. A `ClientConfig` of `pg` is accepted too. */
export interface ConnectOptions {
  /** A URL that contains all of this: `postgres://user:password@host:5432/database`. */
  readonly connectionString?: string | undefined;
  /** A name, an address, or the folder of a Unix socket. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | (() => string | Promise<string>) | undefined;
  readonly database?: string | undefined;
  readonly ssl?: boolean | ConnectionOptions | undefined;
  /** Settings of the session as command-line switches: `-c search_path=…`. */
  readonly options?: string | undefined;
  /** Milliseconds for which a server may leave a request unanswered before the connection counts as lost. Default: a minute. */
  readonly query_timeout?: number | undefined;
}

/** Returns the address of a server and the login. It is called for each connection, because an embedded server moves when another process starts it again. */
export type Connect = () => ConnectOptions;
