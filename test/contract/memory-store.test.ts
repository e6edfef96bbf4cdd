import { memoryStore } from '#log';
import { storeContract } from './store-contract.ts';

storeContract('the store in memory', async () => memoryStore());
