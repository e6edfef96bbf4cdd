import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { stopRequest, type Answer, type Logins } from './connection.ts';
import { isWindows } from './processes.ts';

/** Longest path of a socket, in bytes. */
const socketBytesMax = 103;
const temporaryLengthMax = 70;

/** The control socket on which clients connect to their supervisor. Each keeps a connection open, which the kernel closes however the client ends. */
export interface Rendezvous {
  /** The control socket's path. */
  readonly control: string;
  /** The folder of the sockets if they are not in the store's folder, else ''. */
  readonly run: string;
  readonly clients: number;
  /** When the last client left, or the rendezvous opened. */
  readonly idleSince: number;
  /** Publishes the logins to all current and later clients. Undefined lets later clients wait. */
  publish(logins: Logins | undefined): void;
  /** Disconnects all clients, so that they connect again. */
  disconnectAll(): void;
  /** Closes the socket and sends an error to all clients, if there is one. A client that requested the stop stays connected, so that it notices the end of this process. */
  close(error?: string): void;
}

/** Opens the control socket in the store's folder, or in a temporary folder if the path is too long or the disk does not support sockets. */
export async function openRendezvous(
  home: string,
  data: string,
  runBefore: string | undefined,
  own: (file: string) => void,
  onStop: () => void,
): Promise<Rendezvous> {
  const clients = new Set<net.Socket>();
  const stoppers = new Set<net.Socket>();
  let idleSince = Date.now();
  let logins: Logins | undefined;
  let isClosed = false;
  const say = (client: net.Socket, answer: Answer) => client.write(`${JSON.stringify(answer)}\n`);
  const server = net.createServer((socket) => {
    clients.add(socket);
    let received = '';
    socket
      .setEncoding('utf8')
      .on('error', () => undefined)
      .on('close', () => {
        clients.delete(socket);
        idleSince = Date.now();
      })
      // The request to stop is the only text that a client sends. Any other text comes from a foreign process, which is disconnected.
      .on('data', (text) => {
        received += String(text);
        if (!stopRequest.startsWith(received)) socket.destroy();
        if (received !== stopRequest) return;
        stoppers.add(socket);
        onStop();
      });
    if (isClosed) socket.destroy();
    else if (logins) say(socket, { ...logins, clients: clients.size });
  });
  if (runBefore && isLeftOver(runBefore)) fs.rmSync(runBefore, { recursive: true, force: true });
  const { control, run } = await listenSomewhere(server, home, data, own);
  return {
    control,
    run,
    get clients() {
      return clients.size;
    },
    get idleSince() {
      return idleSince;
    },
    publish: (next) => {
      logins = next;
      if (next) for (const client of clients) say(client, { ...next, clients: clients.size });
    },
    disconnectAll: () => {
      for (const client of clients) client.destroy();
    },
    close: (error) => {
      isClosed = true;
      server.close();
      for (const client of clients) {
        if (stoppers.has(client)) continue;
        if (error !== undefined) say(client, { error });
        client.end();
      }
    },
  };
}

/** Returns whether an earlier supervisor made this folder for its sockets. Checked, because any user may have written the marker. */
function isLeftOver(run: string): boolean {
  if (!path.isAbsolute(run) || !path.basename(run).startsWith('distilog-')) return false;
  const found = fs.lstatSync(run, { throwIfNoEntry: false });
  return (
    found !== undefined && found.isDirectory() && fs.readdirSync(run).every((name) => name === 'control' || name.startsWith('.s.PGSQL.'))
  );
}

async function listenSomewhere(
  server: net.Server,
  home: string,
  data: string,
  own: (file: string) => void,
): Promise<{ readonly control: string; readonly run: string }> {
  const listen = (where: string) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(where, () => resolve());
    });
  const control = path.join(home, 'control');
  try {
    if (Buffer.byteLength(path.join(data, '.s.PGSQL.5432')) > socketBytesMax || isWindows) throw new Error('no socket here');
    fs.rmSync(control, { force: true });
    await listen(control);
    fs.chmodSync(control, 0o600);
    own(control);
    return { control: 'control', run: '' };
  } catch {
    const temporary = os.tmpdir().length < temporaryLengthMax && fs.existsSync(os.tmpdir()) ? os.tmpdir() : '/tmp';
    const run = fs.mkdtempSync(path.join(temporary, 'distilog-'));
    own(run);
    const elsewhere = isWindows ? `\\\\.\\pipe\\${path.basename(run)}` : path.join(run, 'control');
    await listen(elsewhere);
    if (!isWindows) {
      fs.chmodSync(elsewhere, 0o600);
      own(elsewhere);
    }
    return { control: elsewhere, run };
  }
}
