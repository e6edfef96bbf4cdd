import fs from 'node:fs';
import { Fault } from '../../kit/fault.ts';

/**
 * Throws for a link that another user made and root would follow, because it may lead to any file of the machine. Root's own links are followed. Under
 * another user, the kernel decides.
 */
export function refusePlantedLink(file: string): void {
  if (process.getuid?.() !== 0) return;
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!found?.isSymbolicLink() || found.uid === 0) return;
  throw new Fault(
    'embedded-failed',
    `${file} is a link that user ${found.uid} made, and root does not follow such links. Remove it, or run distilog as the owner of the folder.`,
  );
}
