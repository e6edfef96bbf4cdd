import fs from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { KeyClaims } from '../../../src/kit/key-claims.ts';
import { randomFrom } from '../random.ts';

const open: KeyClaims[] = [];
const opened = (): KeyClaims => {
  const claims = new KeyClaims();
  open.push(claims);
  return claims;
};
afterEach(() => {
  for (const claims of open.splice(0)) claims.close();
});

describe('claims of keys', () => {
  it('belong to the number that claimed them first', () => {
    const claims = opened();
    const owners = new Map<string, number>();
    const random = randomFrom(5);
    for (let number = 0; number < 20_000; number++) {
      const key = `key ${random.below(8_000)}`;
      owners.set(key, owners.get(key) ?? number);
      expect(claims.claim(key, number)).toBe(owners.get(key));
    }
  });

  it('can be repeated by the number that has them', () => {
    const claims = opened();
    expect([claims.claim('a', 3), claims.claim('a', 3), claims.claim('a', 4), claims.claim('a', 3)]).toEqual([3, 3, 3, 3]);
    expect(claims.claim('b', Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
    expect(claims.claim('b', 0)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.skipIf(process.platform !== 'linux')('that do not fit into memory are in a file that has no name any more', () => {
    const claims = opened();
    const files = () =>
      fs
        .readdirSync('/proc/self/fd')
        .flatMap((fd) => linkOf(fd))
        .filter((file) => file.endsWith(' (deleted)'));
    const before = files();
    for (let number = 0; number < 300_000; number++) claims.claim(String(number), number);
    expect(files().length).toBe(before.length + 1);
    expect(claims.claim('17', 300_000)).toBe(17);
    expect(claims.claim('299999', 300_000)).toBe(299_999);
  });
});

function linkOf(fd: string): readonly string[] {
  try {
    return [fs.readlinkSync(`/proc/self/fd/${fd}`)];
  } catch {
    return [];
  }
}
