import type pg from 'pg';
import { migrationFiles } from './migrate.ts';

/** Bits of `pg_trigger.tgtype`: before each statement, on delete, on update, on truncate. */
const before = 2;
const onDelete = 8;
const onUpdate = 16;
const onTruncate = 32;

const history = ['commits', 'events', 'chunks'] as const;
/** Every trigger against change, and on what it fires. */
const triggers = [
  ...history.map((table) => [`${table}.append_only`, before | onDelete | onUpdate] as const),
  ...history.map((table) => [`${table}.append_only_truncate`, before | onTruncate] as const),
  ['heads.append_only', before | onDelete] as const,
  ['heads.append_only_truncate', before | onTruncate] as const,
  ['snapshots.append_only', before | onUpdate] as const,
];

/** What keeps one order, one success a batch, one end an attempt, and chunks whole. */
const indexes = [
  'commits_pkey',
  'commits_append_id',
  'commits_recorded_at',
  'events_pkey',
  'events_one_success',
  'events_one_end',
  'chunks_pkey',
] as const;
const constraints = ['events_end_is_of_an_attempt'] as const;
const functions = ['append', 'take_over', 'create_run', 'store_snapshots', 'refuse_change'] as const;

/** Guards of history that are not in force, each with why: `events.append_only is switched off`. */
export async function brokenGuards(client: pg.ClientBase): Promise<readonly string[]> {
  return [
    ...(await brokenTriggers(client)),
    ...(await lacking(
      client,
      'select relname as name from pg_index join pg_class c on c.oid = indexrelid where indisunique and indisvalid',
      indexes,
    )),
    ...(await lacking(
      client,
      'select conname as name from pg_constraint join pg_class c on c.oid = conrelid where convalidated',
      constraints,
    )),
    ...(await changedFunctions(client)),
  ];
}

async function brokenTriggers(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string; enabled: string; type: number; refuses: boolean }>(`
    select c.relname || '.' || t.tgname as name, t.tgenabled as enabled, t.tgtype as type,
           t.tgqual is null and t.tgfoid = to_regproc('distilog.refuse_change') as refuses
      from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = 'distilog'::regnamespace and not t.tgisinternal`);
  return triggers.flatMap(([name, type]) => {
    const found = rows.find((row) => row.name === name);
    if (!found) return [`${name} is dropped`];
    if (found.type !== type || !found.refuses) return [`${name} is another`];
    return found.enabled === 'A' ? [] : [`${name} is switched off`];
  });
}

async function lacking(client: pg.ClientBase, sql: string, names: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(`${sql} and c.relnamespace = 'distilog'::regnamespace`);
  const found = new Set(rows.map(({ name }) => name));
  return names.filter((name) => !found.has(name)).map((name) => `${name} is dropped`);
}

/** A function's text stands in a migration as it is, or somebody put another in its place. */
async function changedFunctions(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string; text: string }>(
    `select proname as name, prosrc as text from pg_proc where pronamespace = 'distilog'::regnamespace`,
  );
  const written = migrationFiles().map(({ sql }) => sql);
  return functions.flatMap((name) => {
    const found = rows.filter((row) => row.name === name);
    if (found.length === 0) return [`function ${name} is dropped`];
    return found.every(({ text }) => written.some((sql) => sql.includes(`$$${text}$$`))) ? [] : [`function ${name} is another`];
  });
}
