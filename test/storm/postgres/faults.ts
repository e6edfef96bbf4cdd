import fs from 'node:fs';
import pg from 'pg';
import { pause } from '../../../src/kit/pause.ts';
import type { Store } from '../../../src/log/index.ts';
import { openPostgresStore } from '../../../src/postgres/index.ts';
import { ownServer, type OwnServer, type OwnServerOptions } from '../../postgres/own-server.ts';
import { openProxy, type Proxy } from '../../postgres/proxy.ts';
import { randomFrom } from '../../unit/random.ts';
import type { Figures } from '../area.ts';
import { startWriters, type Writers } from './writers.ts';

/** The size of an attack. */
export interface Size {
  readonly seed: number;
  /** The number of injected faults of each kind. */
  readonly times: number;
  /** How long the server stays away each time. */
  readonly awayMs: number;
  /** After how long a silent server counts as lost. Defaults to the product's own bound. */
  readonly silenceMs?: number | undefined;
}

/** A server, and writers that reach it through a proxy that injects faults. */
export interface World extends Size {
  readonly server: OwnServer;
  readonly proxy: Proxy;
  /** Connected through the proxy. */
  readonly store: Store;
  /** Connected without the proxy. */
  readonly direct: Store;
  readonly writers: Writers;
  readonly random: ReturnType<typeof randomFrom>;
}

/** A fault of PostgreSQL or of the connection to it. Writers must survive it and keep everything that was acknowledged. */
export interface Fault {
  readonly name: string;
  readonly server?: OwnServerOptions;
  /** The most injections of a slow fault. More would take hours. */
  readonly timesMax?: number;
  readonly strike: (world: World) => Promise<Figures>;
}

const writerCount = 2;

/** Injects a fault, lets the writers go on and compares. Rejects with the seed. A fault with its own server does not touch the given one. */
export async function survive({ name, server: options, strike }: Fault, given: OwnServer, size: Size): Promise<Figures> {
  const random = randomFrom(size.seed);
  const server = options ? await ownServer(options) : given;
  const proxy = await openProxy(server.socket);
  const patient = size.silenceMs === undefined ? {} : { query_timeout: size.silenceMs };
  const store = await openPostgresStore(() => ({ ...proxy.through(server.app)(), ...patient }));
  const direct = await openPostgresStore(server.app);
  try {
    const writers = await startWriters({ store, reader: direct, count: writerCount, random });
    await writers.goOn();
    const figures = await strike({ ...size, server, proxy, store, direct, writers, random });
    await writers.goOn();
    return { ...figures, ...(await writers.finish()) };
  } catch (error) {
    throw new Error(`${name}, seed ${size.seed}: ${String(error)}`, { cause: error });
  } finally {
    await proxy.close();
    await Promise.all([store.close(), direct.close()]);
    if (options) await server.remove();
  }
}

/** SQL that ends every connection of the program. */
const endAll = `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'distilog%' and pid <> pg_backend_pid()`;

const immediateStops: Fault = {
  name: 'immediate stops',
  strike: async ({ server, random, times }) => {
    for (let time = 0; time < times; time++) {
      await pause(random.below(400));
      await server.stop('immediate');
      await server.start();
    }
    return { stops: times };
  },
};

const away: Fault = {
  name: 'server away',
  strike: async ({ server, writers, awayMs }) => {
    await server.stop('immediate');
    await pause(awayMs);
    await server.start();
    await writers.goOn();
    if (!writers.reports.some((error) => error !== null)) throw new Error('no writer reported that the store is away');
    if (writers.reports.at(-1) !== null) throw new Error('no writer reported that the store is back');
    return { 'ms away': awayMs };
  },
};

const cuts: Fault = {
  name: 'connections cut at any piece',
  strike: async ({ server, proxy, random, times }) => {
    for (let time = 0; time < times; time++) {
      const target = proxy.pieces + 1 + random.below(40);
      const isEnded = random.chance(0.5);
      await new Promise<void>((resolve) => {
        proxy.onPiece = async (piece) => {
          if (piece !== target) return;
          // The piece waits meanwhile, so the fault happens between two awaits of the client.
          if (isEnded) await server.sql(endAll);
          else proxy.cut();
          resolve();
        };
      });
    }
    proxy.onPiece = null;
    return { cuts: times };
  },
};

const lostAnswers: Fault = {
  name: 'answers lost after COMMIT',
  strike: async ({ proxy, writers, times }) => {
    for (let time = 0; time < times; time++) {
      await proxy.swallowAnswerTo('distilog_append');
      await writers.goOn();
    }
    return { answers: times };
  },
};

const halfOpen: Fault = {
  name: 'half-open connections',
  timesMax: 5,
  strike: async ({ proxy, writers, store, times, random }) => {
    for (let time = 0; time < times; time++) {
      const [{ runId }] = writers.writers as [(typeof writers.writers)[number]];
      // Opens connections of readers, so that idle connections of the pool go silent as well.
      await Promise.all(Array.from({ length: 3 }, () => store.log.head(runId)));
      const newToo = random.chance(0.5);
      proxy.blackHole({ newToo });
      if (newToo) setTimeout(() => proxy.heal(), random.below(2_000));
      if (!(await store.log.head(runId))) throw new Error(`a reader does not find run ${runId}`);
      await writers.goOn();
    }
    return { holes: times };
  },
};

const headHeld: Fault = {
  name: 'head lock held by an idle transaction',
  timesMax: 2,
  strike: async ({ server, writers, times }) => {
    const said = new Set<string>();
    for (let time = 0; time < times; time++) {
      const holder = new pg.Client({ ...server.owner(), application_name: 'psql' });
      await holder.connect();
      await holder.query('begin; select from distilog.heads for update');
      const before = writers.reports.length;
      while (!writers.reports.slice(before).some((error) => error !== null)) await pause(20);
      for (const error of writers.reports.slice(before)) if (error) said.add(error.message);
      await holder.query('rollback');
      await holder.end();
      await writers.goOn();
    }
    return { times, 'a waiting appender says': [...said].join(' / ') };
  },
};

const diskFull: Fault = {
  name: 'disk full',
  server: { diskBytes: 128 * 1024 * 1024 },
  strike: async ({ server, writers, times, random, awayMs }) => {
    const ballast = `${server.data}/../ballast`;
    let crashes = 0;
    for (let time = 0; time < times; time++) {
      const before = writers.reports.length;
      fill(ballast, random.below(64 * 1024));
      // The server stops if its write-ahead log finds no space. The test starts it again, which takes space too.
      for (const until = Date.now() + awayMs; Date.now() < until; await pause(50)) {
        if (writers.reports.slice(before).some((error) => error !== null)) break;
      }
      await pause(random.below(500));
      crashes += server.isRunning() ? 0 : 1;
      fs.rmSync(ballast);
      await server.start();
      await writers.goOn();
    }
    const said = new Set(writers.reports.flatMap((error) => (error ? [error.message] : [])));
    return { times, crashes, reported: [...said].join(' / ') };
  },
};

/** Fills a disk except for `left` bytes. */
function fill(file: string, left: number): void {
  const descriptor = fs.openSync(file, 'w');
  for (let piece = Buffer.alloc(1024 * 1024, 1); piece.length >= 512; ) {
    try {
      fs.writeSync(descriptor, piece);
    } catch {
      piece = piece.subarray(0, piece.length / 2);
    }
  }
  fs.closeSync(descriptor);
  fs.truncateSync(file, Math.max(0, fs.statSync(file).size - left));
}

export const faults: readonly Fault[] = [immediateStops, away, cuts, lostAnswers, halfOpen, headHeld, diskFull];
