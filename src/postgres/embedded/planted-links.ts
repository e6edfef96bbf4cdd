import fs from 'node:fs';
import { Fault } from '../../kit/fault.ts';

/**
 * Refuses a link that root would follow and that somebody else made: in a folder of theirs it may lead to any file of the machine. Root's own links
 * are followed, and another user follows what the kernel lets them.
 */
export function refusePlantedLink(file: string): void {
  if (process.getuid?.() !== 0) return;
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!found?.isSymbolicLink() || found.uid === 0) return;
  throw new Fault(
    'embedded-failed',
    `${file} is a link that user ${found.uid} made, and root does not follow it: remove it, or run distilog as the owner of the folder.`,
  );
}
