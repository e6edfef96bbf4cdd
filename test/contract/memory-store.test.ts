import { memoryStore } from '../../src/log/index.ts';
import { storeContract } from './store-contract.ts';

storeContract('the store in memory', async () => memoryStore());
