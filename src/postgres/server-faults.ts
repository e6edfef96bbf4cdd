import { codeOf, Fault, isFault, messageOf } from '../kit/fault.ts';

/** Address of a server for messages: host and port, or socket, and never a password. */
export interface Whereabouts {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
}

const lost = /^(57P0[1-5]|08\w{3}|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOENT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/;
const lostMessage =
  /connection terminated|connection ended|timeout exceeded|timeout expired|client was closed|client has encountered a connection error|not queryable|server closed/i;

/** Returns whether an error means that the connection or the server is lost, so that the outcome of a running statement is unknown. */
export const isConnectionLost = (error: unknown): boolean =>
  lost.test(codeOf(error) ?? '') || (codeOf(error) === undefined && lostMessage.test(messageOf(error)));

/** Converts an error of `pg` to a `Fault` that says what to do. */
export function serverFault(error: unknown, where: Whereabouts): Fault {
  if (isFault(error)) return error;
  const place = describeServer(where);
  const code = codeOf(error) ?? '';
  const cause = { cause: error };
  if (code === '28P01' || code === '28000')
    return new Fault(
      'wrong-password',
      `PostgreSQL at ${place} refused the login of ${where.user ?? 'this user'}. Check user and password.`,
      cause,
    );
  if (code === '3D000')
    return new Fault(
      'no-such-database',
      `PostgreSQL at ${place} has no database ${where.database ?? ''}. Create it, or name another.`,
      cause,
    );
  if (code === 'EACCES')
    return new Fault(
      'not-allowed',
      `PostgreSQL at ${place} cannot be reached, because its socket's folder is closed to this user. Name its host and port with --store, or run as a user with access.`,
      cause,
    );
  if (code === '53300')
    return new Fault(
      'too-many-connections',
      `PostgreSQL at ${place} accepts no more connections. Close some, or raise max_connections.`,
      cause,
    );
  if (code === '25006')
    return new Fault('read-only', `PostgreSQL at ${place} is read-only, perhaps a standby. Name a server that accepts writes.`, cause);
  if (code === '53100')
    return new Fault('disk-full', `The disk of PostgreSQL at ${place} is full. Free some space; no acknowledged write was lost.`, cause);
  if (code === '42501')
    return new Fault(
      'not-allowed',
      `PostgreSQL at ${place} denied access: ${messageOf(error)}. Log in as another role, or grant this one the right.`,
      cause,
    );
  if (isConnectionLost(error)) return new Fault('connection-lost', `PostgreSQL at ${place} does not answer: ${messageOf(error)}`, cause);
  return new Fault('database-error', `PostgreSQL at ${place}: ${messageOf(error)}`, { details: { sqlstate: code }, ...cause });
}

/** Formats the address of a server for messages. */
export function describeServer({ host, port, database }: Whereabouts): string {
  const server = host?.startsWith('/') ? `socket ${host}` : `${host ?? 'localhost'}:${port ?? 5432}`;
  return database ? `${server}, database ${database}` : server;
}
