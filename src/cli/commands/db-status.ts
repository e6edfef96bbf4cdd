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
  addStoreCommand(db, 'status', 'Show which store is used and what protects its log; start and change nothing').action((options) =>
    dbStatus(context, options),
  );
}

interface StoreStatus {
  /** The option or variable that named the store. Null: none did, so it is the folder's embedded store. */
  readonly givenBy: GivenBy | null;
  readonly folder: string;
  /** Whether this user trusts the embedded store. Null: the store is a server that the user named. */
  readonly trust: Trust | null;
  /** The supervisor and the clients of an embedded server that is up. */
  readonly embedded: EmbeddedStatus | null;
  /** Null: the embedded server is not up, and this command does not start it. */
  readonly facts: StoreFacts | null;
}

/** `distilog db status`: shows which store is used and what protects its log. Starts and changes nothing. */
async function dbStatus(context: CommandContext, options: CommonOptions): Promise<void> {
  const status = await inspect(options);
  if (options.json) context.terminal.printJson(toJson(status));
  else for (const [name, text] of renderLines(status)) context.terminal.print(`${context.terminal.paint('dim', name.padEnd(12))} ${text}`);
}

async function inspect(options: CommonOptions): Promise<StoreStatus> {
  const { folder, ...source } = storeOptions(options);
  const givenBy = givenStore({ ...source, folder })?.by ?? null;
  const trust = givenBy === null ? embeddedTrust(folder) : null;
  // A foreign store may claim any socket as its own.
  const embedded = givenBy === null && trust !== 'foreign' ? await embeddedStatus(folder) : null;
  if (givenBy === null && embedded === null) return { givenBy, folder, trust, embedded, facts: null };
  const place = await findStore({ ...source, folder });
  try {
    return { givenBy, folder, trust, embedded, facts: await whenUp(place, () => inspectStore(place.connect)) };
  } finally {
    place.close();
  }
}

function toJson({ givenBy, folder, trust, embedded, facts }: StoreStatus): unknown {
  const isEmbedded = givenBy === null;
  return { isEmbedded, givenBy, folder: isEmbedded ? folder : null, trust, isUp: facts !== null, ...embedded, ...facts };
}

function renderLines({ givenBy, folder, trust, embedded, facts }: StoreStatus): readonly (readonly [string, string])[] {
  const store = givenBy === null ? `embedded, in .distilog of ${folder}` : `a server, named by ${givenBy}`;
  if (trust === 'foreign')
    return [
      ['store', store],
      ['trust', 'not trusted: this user did not create it here. To accept it and all that it holds, run: distilog db trust'],
    ];
  if (!facts)
    return [
      ['store', store],
      ['server', 'not running; the next command that needs it starts it'],
    ];
  const { place, role, serverVersion, fsync, readOnly, connections } = facts;
  return [
    ['store', store],
    ['server', `PostgreSQL ${serverVersion} at ${place}${readOnly ? ', read-only: it cannot record runs' : ''}`],
    ['role', role],
    ...(embedded ? [['supervisor', `process ${embedded.supervisor}`] as const] : []),
    [
      'clients',
      embedded ? formatClients(embedded.clients, 'process', 'processes') : formatClients(connections, 'connection', 'connections'),
    ],
    ['schema', describeSchema(facts)],
    ['append-only', describeGuards(facts)],
    ['fsync', fsync ? 'on' : 'off: the server may lose acknowledged writes, so distilog refuses it'],
  ];
}

const formatClients = (count: number, one: string, many: string): string =>
  `${formatCount(count)} other distilog ${count === 1 ? one : many}`;

function describeSchema({ schema: { applied, pending, newer } }: StoreFacts): string {
  if (newer !== null) return `${newer}, from a newer distilog: update this one`;
  if (applied.length === 0) return 'not set up. Run once: distilog db migrate';
  const last = applied.at(-1) ?? '';
  return pending.length === 0 ? `${last}, current for this version` : `${last}, without ${pending.join(', ')}. Run: distilog db migrate`;
}

function describeGuards({ appendOnlyBy, guardsOff, role }: StoreFacts): string {
  if (guardsOff.length > 0) return `NOT PROTECTED: ${guardsOff.join(', ')}`;
  if (appendOnlyBy === null) return 'no log yet';
  return appendOnlyBy === 'roles'
    ? `by roles: ${role} may append and cannot change anything`
    : `by triggers only: ${role} owns the log and could disable them (distilog verify would detect a change)`;
}
