import { memoryStore } from '#log';
import { testDatabase } from '../postgres/server.ts';
import { storeContract } from './store-contract.ts';

storeContract('the store in memory', async () => memoryStore());

const database = await testDatabase();
storeContract('the store on PostgreSQL', () => database.store());
