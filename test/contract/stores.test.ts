import { testDatabase } from '../postgres/server.ts';
import { storeContract } from './store-contract.ts';

const database = await testDatabase();
storeContract('the store on PostgreSQL', () => database.store());
