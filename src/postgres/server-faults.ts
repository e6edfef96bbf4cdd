import { codeOf, Fault, isFault, messageOf } from '../kit/fault.ts';

/** Where a server is, for messages: host and port or socket, never a password. */
export interface Whereabouts {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
}

const lost = /^(57P0[1-5]|08\w{3}|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOENT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/;
const lostMessage =
  /connection terminated|connection ended|timeout exceeded|timeout expired|client was closed|client has encountered a connection error|not queryable|server closed/i;

/** Whether an error says that the connection, or the server, is gone: what was under way may or may not have happened. */
export const isConnectionLost = (error: unknown): boolean =>
  lost.test(codeOf(error) ?? '') || (codeOf(error) === undefined && lostMessage.test(messageOf(error)));

/** Turns what `pg` throws into a `Fault` that says what to do. */
export function serverFault(error: unknown, where: Whereabouts): Fault {
  if (isFault(error)) return error;
  const place = describe(where);
  const code = codeOf(error) ?? '';
  const cause = { cause: error };
  if (code === '28P01' || code === '28000')
    return new Fault(
      'wrong-password',
      `PostgreSQL at ${place} does not let ${where.user ?? 'this user'} in: check user and password.`,
      cause,
    );
  if (code === '3D000')
    return new Fault(
      'no-such-database',
      `PostgreSQL at ${place} has no database ${where.database ?? ''}: create it, or name another.`,
      cause,
    );
  if (code === 'EACCES')
    return new Fault(
      'not-allowed',
      `PostgreSQL at ${place} cannot be reached by this user: its folder is another's. Name its host and port with --store, or run as a user who may go there.`,
      cause,
    );
  if (code === '53300')
    return new Fault(
      'too-many-connections',
      `PostgreSQL at ${place} takes no more connections: end some, or raise max_connections.`,
      cause,
    );
  if (code === '25006')
    return new Fault('read-only', `PostgreSQL at ${place} is read-only (a standby?): a run needs one that writes.`, cause);
  if (code === '53100')
    return new Fault(
      'disk-full',
      `The disk of PostgreSQL at ${place} is full: free some space; nothing that was acknowledged is lost.`,
      cause,
    );
  if (code === '42501') return new Fault('not-allowed', `PostgreSQL at ${place} refuses it: ${messageOf(error)}.`, cause);
  if (isConnectionLost(error)) return new Fault('connection-lost', `PostgreSQL at ${place} does not answer: ${messageOf(error)}`, cause);
  return new Fault('database-error', `PostgreSQL at ${place}: ${messageOf(error)}`, { details: { sqlstate: code }, ...cause });
}

/** A place as people write it. */
export function describe({ host, port, database }: Whereabouts): string {
  const server = host?.startsWith('/') ? `socket ${host}` : `${host ?? 'localhost'}:${port ?? 5432}`;
  return database ? `${server}, database ${database}` : server;
}
