import { sha256 } from '../../kit/sha256.ts';
import { sideLogId, type Store } from '../../log/index.ts';
import type { SaidMetadata } from './read-export.ts';

/** Lists in words the exports of these files at this position that the side log records, with user, time and directory. */
export async function recordedExports({ log }: Store, { run, asOf, configs }: SaidMetadata): Promise<readonly string[]> {
  const filesOf = (all: readonly { readonly files: readonly { readonly path: string; readonly sha256: string }[] }[]) =>
    sha256(JSON.stringify(all.flatMap(({ files }) => files.map((file) => [file.path, file.sha256]))));
  const filesHash = filesOf(configs);
  const found: string[] = [];
  for await (const page of log.read(sideLogId(run.id), { types: ['DistisetWritten'] })) {
    for (const event of page) {
      if (event.type !== 'DistisetWritten' || event.data.asOf.position !== asOf.position) continue;
      if (filesOf(event.data.configs) !== filesHash) continue;
      const { user, host } = event.data.actor;
      found.push(`exported by ${user}@${host} at ${event.recordedAt} to ${event.data.directory}, according to the side log`);
    }
  }
  return found;
}
