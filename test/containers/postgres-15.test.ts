import { testsOnContainer } from './on-container.ts';

await testsOnContainer('15');
