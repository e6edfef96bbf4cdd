// A client under attack: writes rows for some time, and records each one that the server acknowledged.
// node test/embedded/attack-client.ts FOLDER ACKNOWLEDGED LIFE_MS exit|close
import fs from 'node:fs';
import { openEmbeddedStore } from '../../src/postgres/index.ts';
import { patientPool } from './patient-pool.ts';

const [folder = '', acknowledged = '', lifeMs = '', leave = ''] = process.argv.slice(2);
const store = await openEmbeddedStore(folder);
const pool = patientPool(store, 2);
await pool.query('create table if not exists attacked (id text primary key, padding text)');
const until = Date.now() + Number(lifeMs);
for (let n = 0; Date.now() < until; n++) {
  const id = `${process.pid}-${Date.now()}-${n}`;
  await pool.query('insert into attacked values ($1, $2) on conflict do nothing', [id, 'x'.repeat(200)]);
  fs.appendFileSync(acknowledged, `${id}\n`);
}
if (leave === 'exit') process.exit(0);
store.close();
await pool.end();
