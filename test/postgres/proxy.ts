import net from 'node:net';
import type pg from 'pg';
import type { Connect } from '../../src/postgres/index.ts';

/** A door to a server, on loopback, that fails as networks do. */
export interface Proxy {
  /** The server behind it, through it. */
  through(connect: Connect): Connect;
  /** Pieces that came by so far, in both directions. */
  readonly pieces: number;
  /** Told of each piece before it goes on, with its number; it waits for the answer. */
  onPiece: ((piece: number) => Promise<void> | void) | null;
  /** From now on nothing goes through the connections that stand, and nobody hears of it; nor through new ones, if `newToo`, until `heal`. */
  blackHole(options?: { readonly newToo?: boolean }): void;
  heal(): void;
  /** Keeps back the answer to the next message that holds `text`, once the server has given all of it, and cuts the connection. Resolves then. */
  swallowAnswerTo(text: string): Promise<void>;
  /** Cuts every connection. */
  cut(): void;
  close(): Promise<void>;
}

/** What the server sends when it has answered, outside of a transaction. */
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

  /** Passes on what comes from one side, piece by piece; of a black connection, nothing, and not its end either. */
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

/** Does something again and again, each time with every connection cut one piece later, until it comes through without a cut. Returns what each attempt ended with. */
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
