import type { Command } from 'commander';
import {
  embeddedStatus,
  embeddedTrust,
  findStore,
  givenStore,
  inspectStore,
  whenUp,
  type EmbeddedStatus,
  type GivenBy,
  type StoreFacts,
  type Trust,
} from '../../postgres/index.ts';
import { storeOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { formatCount } from '../numbers.ts';
import { addStoreCommand } from '../command-options.ts';

/** Registers `distilog db status` in the group `db`. */
export function registerDbStatus(db: Command, context: CommandContext): void {
  addStoreCommand(db, 'status', 'which store is used, and what guards it; starts and changes nothing').action((options) =>
    dbStatus(context, options),
  );
}

interface Looked {
  /** What named the store; null: nothing did, so it is the folder's own. */
  readonly givenBy: GivenBy | null;
  readonly folder: string;
  /** How an embedded store stands with this user; null: a server that somebody named. */
  readonly trust: Trust | null;
  /** Who supervises an embedded server that is up. */
  readonly embedded: EmbeddedStatus | null;
  /** Null: an embedded server that is not up, which looking does not start. */
  readonly facts: StoreFacts | null;
}

/** `distilog db status`: which store is used, and what guards it. Starts and changes nothing. */
async function dbStatus(context: CommandContext, options: CommonOptions): Promise<void> {
  const looked = await look(options);
  if (options.json) context.terminal.printJson(asJson(looked));
  else for (const [name, text] of lines(looked)) context.terminal.print(`${context.terminal.paint('dim', name.padEnd(12))} ${text}`);
}

async function look(options: CommonOptions): Promise<Looked> {
  const { folder, ...where } = storeOptions(options);
  const givenBy = givenStore({ ...where, folder })?.by ?? null;
  const trust = givenBy === null ? embeddedTrust(folder) : null;
  // A foreign store may name any socket as its own.
  const embedded = givenBy === null && trust !== 'foreign' ? await embeddedStatus(folder) : null;
  if (givenBy === null && embedded === null) return { givenBy, folder, trust, embedded, facts: null };
  const place = await findStore({ ...where, folder });
  try {
    return { givenBy, folder, trust, embedded, facts: await whenUp(place, () => inspectStore(place.connect)) };
  } finally {
    place.close();
  }
}

function asJson({ givenBy, folder, trust, embedded, facts }: Looked): unknown {
  const isEmbedded = givenBy === null;
  return { isEmbedded, givenBy, folder: isEmbedded ? folder : null, trust, isUp: facts !== null, ...embedded, ...facts };
}

function lines({ givenBy, folder, trust, embedded, facts }: Looked): readonly (readonly [string, string])[] {
  const store = givenBy === null ? `embedded, in .distilog of ${folder}` : `a server, named by ${givenBy}`;
  if (trust === 'foreign')
    return [
      ['store', store],
      ['trust', 'not made here by this user, so it is not used: distilog db trust accepts it, with all that it holds'],
    ];
  if (!facts)
    return [
      ['store', store],
      ['server', 'not running: the next command that needs it starts it'],
    ];
  const { place, role, serverVersion, fsync, readOnly, connections } = facts;
  return [
    ['store', store],
    ['server', `PostgreSQL ${serverVersion} at ${place}${readOnly ? ', read-only: it takes no run' : ''}`],
    ['role', role],
    ...(embedded ? [['supervisor', `process ${embedded.supervisor}`] as const] : []),
    ['clients', embedded ? counted(embedded.clients, 'process', 'processes') : counted(connections, 'connection', 'connections')],
    ['schema', schemaLine(facts)],
    ['append-only', guardLine(facts)],
    ['fsync', fsync ? 'on' : 'off: what it acknowledges it may lose, so distilog refuses it'],
  ];
}

const counted = (count: number, one: string, many: string): string => `${formatCount(count)} other ${count === 1 ? one : many} of distilog`;

function schemaLine({ schema: { applied, pending, newer } }: StoreFacts): string {
  if (newer !== null) return `${newer}, of a newer distilog: update this one`;
  if (applied.length === 0) return 'not set up: distilog db migrate does it once';
  const last = applied.at(-1) ?? '';
  return pending.length === 0 ? `${last}, which is this version's` : `${last}; lacks ${pending.join(', ')}: distilog db migrate`;
}

function guardLine({ appendOnlyBy, guardsOff, role }: StoreFacts): string {
  if (guardsOff.length > 0) return `NOT GUARDED: ${guardsOff.join(', ')}`;
  if (appendOnlyBy === null) return 'no log yet';
  return appendOnlyBy === 'roles'
    ? `by roles: ${role} may append, and change nothing`
    : `by triggers only: ${role} owns the log, and could switch them off (distilog verify would tell)`;
}
