import { z } from 'zod';
import { writeDistiset } from '../../../../src/distiset/write-distiset.ts';
import { distisetOf, columnsOf } from './written.ts';

// A process that writes to the directory it is given, and never ends: to be killed.
const [directory = ''] = process.argv.slice(2);
const endless = {
  name: 'endless',
  columns: columnsOf({ n: z.int() }),
  async *rows() {
    for (let n = 0; ; n++) {
      if (n === 25_000) process.stdout.write('writing\n');
      if (n % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
      yield { n };
    }
  },
};
await writeDistiset(distisetOf([endless]), { directory, distilog: 'test' });
