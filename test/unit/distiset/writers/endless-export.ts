import { z } from 'zod';
import { writeDistiset } from '../../../../src/distiset/write-distiset.ts';
import { blocksOf, columnsOf, distisetOf } from './written.ts';

// A process that writes to a given directory until it is killed.
const [directory = ''] = process.argv.slice(2);
async function* numbers() {
  for (let n = 0; ; n++) {
    if (n === 25_000) process.stdout.write('writing\n');
    if (n % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    yield { n };
  }
}
const endless = { name: 'endless', columns: columnsOf({ n: z.int() }), blocks: () => blocksOf(numbers(), ['n'], 1_000) };
await writeDistiset(distisetOf([endless]), { directory, distilog: 'test' });
