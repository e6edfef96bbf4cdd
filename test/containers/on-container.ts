import { afterAll, describe, expect, it } from 'vitest';
import { storeContract } from '../contract/store-contract.ts';
import { serverVariable, testDatabase } from '../postgres/server.ts';
import { startPostgres } from './container.ts';

/** Runs the contract and the tests of the database on a PostgreSQL of this major version in a container, or says why not. */
export async function testsOnContainer(major: string): Promise<void> {
  const server = await startPostgres(major);
  if ('leftOut' in server) {
    const line = `PostgreSQL ${major} in a container: left out, ${server.leftOut}`;
    console.log(line);
    it.skip(line);
    return;
  }
  process.env[serverVariable] = server.url;
  afterAll(async () => {
    delete process.env[serverVariable];
    await server.stop();
  });
  try {
    await declareTests(major);
  } catch (error) {
    // Hooks of a file that cannot be loaded are not called.
    await server.stop();
    throw error;
  }
}

async function declareTests(major: string): Promise<void> {
  const database = await testDatabase();
  describe(`PostgreSQL ${major} in a container`, () => {
    it('is of that version', async () => {
      expect((await database.store()).serverVersion).toMatch(new RegExp(`^${major}\\.`));
    });
    storeContract(`the store on PostgreSQL ${major}`, () => database.store());
  });
  // What is imported makes its databases there, and its tests are this file's.
  await import('../postgres/driver-lock.test.ts');
  await import('../postgres/faults.test.ts');
  await import('../postgres/guards.test.ts');
  await import('../postgres/hash.test.ts');
  await import('../postgres/index-ranges.test.ts');
  await import('../postgres/migrate.test.ts');
  await import('../postgres/one-role.test.ts');
  await import('../postgres/past.test.ts');
}
