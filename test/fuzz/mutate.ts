import { Fault, messageOf } from '../../src/kit/fault.ts';
import type { randomFrom } from '../unit/random.ts';

type Random = ReturnType<typeof randomFrom>;

/** Returns bytes of which some are flipped, cut off, doubled or replaced. */
export function mutated(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(result.length + 1);
    const piece = result.subarray(at, at + 1 + random.below(20));
    const parts = [result.subarray(0, at), result.subarray(at)] as const;
    switch (random.below(5)) {
      case 0:
        if (at < result.length) result[at] = (result[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        result = Buffer.from(parts[0]);
        break;
      case 2:
        result = Buffer.concat([parts[0], piece, parts[1]]);
        break;
      case 3:
        result = Buffer.concat([parts[0], parts[1].subarray(piece.length)]);
        break;
      default:
        result = Buffer.concat([parts[0], Buffer.from(random.pick(tokens)), parts[1]]);
    }
  }
  return result;
}

/** Pieces of text that have a meaning to one of the readers. */
const tokens = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '0',
  '-1',
  '1e309',
  '99999999999999999999',
  'null',
  'true',
  '"\\u0000"',
  '"\\ud800"',
  '=',
  '/',
  '.',
  'é',
];

/** Accepts an error that is a readable sentence with a code. Throws on any other and names the input. */
export function assertFault(error: unknown, given: unknown, codes?: readonly string[]): void {
  const isTold = error instanceof Fault && (codes === undefined || codes.includes(error.code));
  const isSentence =
    isTold && error.message.length > 10 && !/\n\s+at /.test(error.message) && !/\[object/.test(error.message.replace(String(given), ''));
  if (!isSentence) throw new Error(`given ${JSON.stringify(String(given)).slice(0, 2_000)}: ${messageOf(error)}`, { cause: error });
}
