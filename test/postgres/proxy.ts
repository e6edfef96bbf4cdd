import net from 'node:net';
import type pg from 'pg';
import type { Connect } from '../../src/postgres/index.ts';

/** A proxy in front of a server, on loopback, that injects network faults. */
export interface Proxy {
  /** Returns how the server is reached through the proxy. */
  through(connect: Connect): Connect;
  /** The number of pieces that passed so far, in both directions. */
  readonly pieces: number;
  /** Called with the number of each piece before the piece is forwarded. The piece waits for the returned promise. */
  onPiece: ((piece: number) => Promise<void> | void) | null;
  /** From now on drops everything on the open connections, without closing them. With `newToo`, also on new connections until `heal`. */
  blackHole(options?: { readonly newToo?: boolean }): void;
  heal(): void;
  /** Drops the answer to the next message that contains `text`, then cuts the connection once the answer is complete. Resolves then. */
  swallowAnswerTo(text: string): Promise<void>;
  /** Cuts every connection. */
  cut(): void;
  close(): Promise<void>;
}

/** The message that ends an answer of the server, outside of a transaction. */
const readyForQuery = Buffer.from('5a0000000549', 'hex');

interface Pair {
  readonly client: net.Socket;
  readonly server: net.Socket;
  isBlack: boolean;
  /** Resolves `swallowAnswerTo`. */
  swallowed: (() => void) | null;
}

export async function openProxy(socket: string): Promise<Proxy> {
  const pairs = new Set<Pair>();
  let isNewBlack = false;
  let pieces = 0;
  let swallow: { readonly text: string; readonly done: () => void } | null = null;

  const end = (pair: Pair): void => {
    pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  };

  /** Forwards what one side sends, piece by piece. On a black connection it forwards nothing, and does not forward its end either. */
  const pass = (pair: Pair, from: net.Socket, to: net.Socket, look: (piece: Buffer) => boolean): void => {
    let before = Promise.resolve();
    const next = (work: () => Promise<void> | void) => {
      before = before.then(work);
    };
    from.on('data', (piece) =>
      next(async () => {
        const number = ++pieces;
        await proxy.onPiece?.(number);
        if (!pair.isBlack && look(piece)) to.write(piece);
      }),
    );
    from.on('close', () => next(() => (pair.isBlack ? undefined : end(pair))));
    from.on('error', () => undefined);
  };

  const listener = net.createServer((client) => {
    const pair: Pair = { client, server: net.connect(socket), isBlack: isNewBlack, swallowed: null };
    pairs.add(pair);
    pass(pair, client, pair.server, (piece) => {
      if (swallow && piece.includes(swallow.text)) {
        pair.swallowed = swallow.done;
        swallow = null;
      }
      return true;
    });
    pass(pair, pair.server, client, (piece) => {
      if (!pair.swallowed) return true;
      if (piece.includes(readyForQuery)) {
        pair.swallowed();
        end(pair);
      }
      return false;
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as net.AddressInfo;

  const proxy: Proxy = {
    through: (connect) => (): pg.ClientConfig => ({ ...connect(), host: '127.0.0.1', port }),
    get pieces() {
      return pieces;
    },
    onPiece: null,
    blackHole: ({ newToo = false } = {}) => {
      isNewBlack = newToo;
      for (const pair of pairs) pair.isBlack = true;
    },
    heal: () => {
      isNewBlack = false;
    },
    swallowAnswerTo: (text) => new Promise((resolve) => (swallow = { text, done: resolve })),
    cut: () => {
      for (const pair of pairs) end(pair);
    },
    close: async () => {
      proxy.cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  return proxy;
}

/** Repeats an attempt, each time with every connection cut one piece later, until one completes without a cut. Returns the result of each attempt. */
export async function cutAtEachPiece<T>(proxy: Proxy, attempt: () => Promise<T>): Promise<readonly (T | Error)[]> {
  const ends: (T | Error)[] = [];
  for (;;) {
    const at = proxy.pieces + ends.length + 1;
    proxy.onPiece = (piece) => (piece === at ? proxy.cut() : undefined);
    const end = await attempt().catch((error: unknown) => error as Error);
    ends.push(end);
    proxy.onPiece = null;
    if (!(end instanceof Error) && proxy.pieces < at) return ends;
  }
}
