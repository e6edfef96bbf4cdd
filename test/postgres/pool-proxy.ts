import net from 'node:net';
import type pg from 'pg';
import type { Connect } from '../../src/postgres/index.ts';

/**
 * How a pooler hands its server connections out: one for as long as its client stays, or one for each transaction, the last one used or the next in turn.
 */
export type PoolMode = 'session' | 'transaction' | 'transaction in turn';

/** A connection pooler as PgBouncer is one, for a server that asks for no password. */
export interface Pooler {
  /** The server behind it, through it. */
  through(connect: Connect): Connect;
  close(): Promise<void>;
}

interface ServerConnection {
  readonly socket: net.Socket;
  /** Whom its answers go to. */
  client: Client | null;
}

interface Client {
  readonly socket: net.Socket;
  server: ServerConnection | null;
  /** Messages that wait for a server connection. */
  waiting: Buffer[];
  isReady: boolean;
}

const readyForQuery = 0x5a;
const backendKey = 0x4b;
const sync = 0x53;
const query = 0x51;
const idle = 0x49;

/** Opens a pooler in front of a server's socket, with so many server connections. */
export async function openPooler(socket: string, mode: PoolMode, size = 3): Promise<Pooler> {
  const open = new Set<net.Socket>();
  const free: ServerConnection[] = [];
  let count = 0;

  /** Gives clients that wait what is free. */
  const clients = new Set<Client>();
  const lend = (): void => {
    for (const client of clients) {
      if (client.server || client.waiting.length === 0 || !client.isReady) continue;
      const server = mode === 'transaction in turn' ? free.shift() : free.pop();
      if (!server) return;
      server.client = client;
      client.server = server;
      for (const message of client.waiting.splice(0)) server.socket.write(message);
    }
  };

  const connectServer = (startup: Buffer, greet: (message: Buffer) => void): ServerConnection => {
    const server: ServerConnection = { socket: net.connect(socket), client: null };
    open.add(server.socket);
    let isGreeted = false;
    server.socket.on('error', () => undefined).on('close', () => server.client?.socket.destroy());
    eachMessage(server.socket, 0, (message) => {
      if (!isGreeted) {
        greet(message);
        isGreeted = message[0] === readyForQuery;
        if (isGreeted && !server.client) free.push(server);
        if (isGreeted) lend();
        return;
      }
      const { client } = server;
      client?.socket.write(message);
      if (!client || message[0] !== readyForQuery || message[5] !== idle || mode === 'session') return;
      server.client = null;
      client.server = null;
      free.push(server);
      lend();
    });
    server.socket.write(startup);
    return server;
  };

  const listener = net.createServer((accepted) => {
    open.add(accepted);
    const client: Client = { socket: accepted, server: null, waiting: [], isReady: false };
    clients.add(client);
    let isFirst = true;
    accepted
      .on('error', () => undefined)
      .on('close', () => {
        clients.delete(client);
        if (mode === 'session') client.server?.socket.destroy();
      });
    eachMessage(accepted, 1, (message) => {
      if (isFirst) {
        isFirst = false;
        // A pooler tells a number of its own in place of the server process's.
        const server = connectServer(message, (greeting) => {
          if (greeting[0] === backendKey) greeting.writeUInt32BE(0x7fff0000 + clients.size, 5);
          accepted.write(greeting);
          if (greeting[0] === readyForQuery) client.isReady = true;
        });
        if (mode === 'session') [server.client, client.server] = [client, server];
        else for (; count < size - 1; count++) connectServer(message, () => undefined);
        return;
      }
      if (client.server) client.server.socket.write(message);
      else client.waiting.push(message);
      if (message[0] === sync || message[0] === query) lend();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as net.AddressInfo;
  return {
    through: (connect) => (): pg.ClientConfig => ({ ...connect(), host: '127.0.0.1', port }),
    close: async () => {
      for (const one of open) one.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** Calls back with each whole message of PostgreSQL's protocol; the first `untyped` ones have no letter before their length. */
function eachMessage(socket: net.Socket, untyped: number, each: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  let left = untyped;
  socket.on('data', (piece) => {
    rest = Buffer.concat([rest, piece as Buffer]);
    for (;;) {
      const letter = left > 0 ? 0 : 1;
      if (rest.length < letter + 4) return;
      const length = letter + rest.readUInt32BE(letter);
      if (rest.length < length) return;
      const message = Buffer.from(rest.subarray(0, length));
      rest = rest.subarray(length);
      if (left > 0) left--;
      each(message);
    }
  });
}
