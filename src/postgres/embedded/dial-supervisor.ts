import net from 'node:net';
import path from 'node:path';
import { Fault } from '../../kit/fault.ts';
import { passwordFiles, type Answer, type Connection, type Logins } from './connection.ts';
import { identityOf, readText } from './files.ts';
import { readMarker } from './marker.ts';

/** A connection to a supervisor. While it is open, the server stays up. */
export interface SupervisorConnection {
  readonly app: Connection;
  readonly owner: Connection;
  readonly socket: net.Socket;
  readonly supervisor: number;
  /** Open connections to the supervisor, including this one. */
  readonly clients: number;
}

/**
 * Connects to the control socket of a folder's supervisor and reads the server's address from it. The open socket is this process's reference to the
 * server. Returns undefined if no supervisor answers. Throws `Fault('embedded-failed')` with the supervisor's error.
 */
export function dialSupervisor(home: string, deadline: number): Promise<SupervisorConnection | undefined> {
  const marker = readMarker(home);
  // There is no marker, or it was copied along with the folder.
  if (!marker || marker.identity !== identityOf(home)) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const socket = net.connect(path.resolve(home, marker.control)).setEncoding('utf8');
    let text = '';
    socket.setTimeout(Math.max(1, deadline - Date.now()), () => socket.destroy());
    socket
      .on('error', () => undefined)
      .once('close', () => resolve(undefined))
      .on('data', (chunk) => {
        text += String(chunk);
        // A server that was restarted meanwhile is reported twice.
        const end = text.indexOf('\n');
        if (end < 0) return;
        const answer = JSON.parse(text.slice(0, end)) as Answer;
        if ('error' in answer) {
          reject(new Fault('embedded-failed', answer.error));
          return;
        }
        socket.setTimeout(0).removeAllListeners('data').resume().unref();
        const connectionFor = (login: keyof Logins): Connection => ({
          ...answer[login],
          password: readText(path.join(home, passwordFiles[login])),
          host:
            path.isAbsolute(answer[login].host) || answer[login].host === loopback
              ? answer[login].host
              : path.resolve(home, answer[login].host),
        });
        resolve({ app: connectionFor('app'), owner: connectionFor('owner'), socket, supervisor: marker.pid, clients: answer.clients });
      });
  });
}

const loopback = '127.0.0.1';
