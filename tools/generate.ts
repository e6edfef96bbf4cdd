// Writes the generated files: schema/dump.sql and schema/fingerprint.json from a migrated database, docs/CLI.md from the command line's help, docs/ERRORS.md
// from the catalogue of codes. With --check, compares instead of writing.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrate, openEmbeddedStore, stopEmbeddedStore } from '../src/postgres/index.ts';
import { onClient } from '../src/postgres/connection.ts';
import { readSchemaFacts } from '../src/postgres/schema-facts.ts';
import { useOwnState } from '../test/own-state.ts';
import { errorReference } from './error-reference.ts';

useOwnState();

const root = fileURLToPath(new URL('..', import.meta.url));
const isCheck = process.argv.includes('--check');

const { dump, fingerprint } = await schemaTexts();
const generated: Readonly<Record<string, string>> = {
  'schema/dump.sql': dump,
  'schema/fingerprint.json': fingerprint,
  'docs/CLI.md': commandReference(),
  'docs/ERRORS.md': errorReference(),
};

let stale = 0;
for (const [file, text] of Object.entries(generated)) {
  const full = path.join(root, file);
  const before = fs.existsSync(full) ? fs.readFileSync(full, 'utf8') : '';
  if (before === text) continue;
  if (isCheck) {
    stale++;
    console.error(`${file} is out of date. Run npm run generate, and read the difference.`);
  } else fs.writeFileSync(full, text);
}
process.exit(stale > 0 ? 1 : 0);

/**
 * Returns the schema as PostgreSQL's catalogue describes it, in a stable order: as a dump for readers, and as the fingerprint that `distilog db status`
 * compares a store with.
 */
async function schemaTexts(): Promise<{ readonly dump: string; readonly fingerprint: string }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-dump-'));
  fs.chmodSync(folder, 0o755);
  const store = await openEmbeddedStore(folder);
  try {
    const owner = () => ({ ...store.owner() });
    await migrate(owner);
    const client = new pg.Client(owner());
    await client.connect();
    const lines = async (title: string, sql: string) => {
      const { rows } = await client.query<{ line: string }>(sql);
      return [`-- ${title}`, ...rows.map(({ line }) => line), ''].join('\n');
    };
    const parts = [
      '-- The schema after all migrations, generated from the catalogue by tools/generate.ts: read this, not the history of migrations.\n',
      await lines(
        'Columns',
        `select format('%I.%I.%I %s%s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' else '' end) as line from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'distilog' and c.relkind in ('r', 'v', 'c') and a.attnum > 0 and not a.attisdropped order by c.relname, a.attnum`,
      ),
      await lines(
        'Constraints',
        `select format('%s: %s', conname, pg_get_constraintdef(oid)) as line from pg_constraint where connamespace = 'distilog'::regnamespace and contype in ('p', 'u', 'f', 'c') order by conname`,
      ),
      await lines('Indexes', `select indexdef || ';' as line from pg_indexes where schemaname = 'distilog' order by indexname`),
      await lines(
        'Views',
        `select format('create view distilog.%I as%s', viewname, definition) as line from pg_views where schemaname = 'distilog' order by viewname`,
      ),
      await lines(
        'Triggers',
        `select format('%s; -- fires %s', pg_get_triggerdef(t.oid), case t.tgenabled when 'A' then 'always' else t.tgenabled::text end) as line from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = 'distilog'::regnamespace and not t.tgisinternal order by c.relname, t.tgname`,
      ),
      await lines(
        'Grants',
        `select format('%s: %s', c.relname, (select string_agg(x::text, ' ' order by x::text) from unnest(c.relacl) as x)) as line from pg_class c where c.relnamespace = 'distilog'::regnamespace and c.relkind in ('r', 'v') order by c.relname`,
      ),
      await lines(
        'Functions',
        `select pg_get_functiondef(oid) || E';\\n-- ' || coalesce((select string_agg(x::text, ' ' order by x::text) from unnest(proacl) as x), 'no grants') || E'\\n' as line from pg_proc where pronamespace = 'distilog'::regnamespace order by proname`,
      ),
    ];
    await client.end();
    const facts = await onClient(owner, 'distilog generate', readSchemaFacts);
    const sorted = Object.entries(facts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([object, details]) => [object, Object.fromEntries(Object.entries(details).sort(([a], [b]) => (a < b ? -1 : 1)))]);
    return {
      dump: `${parts.join('\n').trimEnd()}\n`,
      fingerprint: `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`,
    };
  } finally {
    store.close();
    await stopEmbeddedStore(folder);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the text of `docs/CLI.md`: the help of all commands. */
function commandReference(): string {
  const help = (...args: readonly string[]) => {
    const command = [path.join(root, 'dist/src/cli/bin.js'), ...args, '--help'];
    const { stdout } = spawnSync(process.execPath, ['--no-warnings', ...command], {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', COLUMNS: '100' },
    });
    return stdout.trimEnd();
  };
  const names = (text: string) =>
    [...(text.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name as string).filter((name) => name !== 'help');
  execFileSync(process.execPath, [path.join(root, 'tools/build.mjs')], { stdio: 'inherit' });
  const top = help();
  const sections = names(top).flatMap((name) => {
    const own = help(name);
    const inner = name === 'db' ? names(own).map((sub) => [`db ${sub}`, help('db', sub)] as const) : [];
    return [[name, own] as const, ...inner];
  });
  const blocks = sections.map(([name, text]) => `## ${name}\n\n\`\`\`text\n${text}\n\`\`\`\n`);
  return `# The command line\n\nGenerated from its own help by \`npm run generate\`.\n\n\`\`\`text\n${top}\n\`\`\`\n\n${blocks.join('\n')}`;
}
