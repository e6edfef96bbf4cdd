import { testsOnContainer } from './on-container.ts';

await testsOnContainer('18');
