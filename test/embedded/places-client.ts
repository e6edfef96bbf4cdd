// A client in a process of its own: opens a folder's store, asks the server for its user and start time, and prints them as JSON.
// node test/embedded/places-client.ts FOLDER
import { openEmbeddedStore, embeddedSupervisor } from '../../src/postgres/index.ts';
import { patientPool } from './patient-pool.ts';

const [folder = ''] = process.argv.slice(2);
const store = await openEmbeddedStore(folder);
const pool = patientPool(store, 1);
const { rows } = await pool.query(
  `select current_user as "user", current_setting('search_path') as "searchPath", pg_postmaster_start_time()::text as "startedAt"`,
);
console.log(JSON.stringify({ ...(rows as object[])[0], supervisor: await embeddedSupervisor(folder) }));
await pool.end();
store.close();
