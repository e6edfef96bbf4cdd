import { hashed } from '../unit/random.ts';

/** The faults that a provider can have. */
export const faultNames = [
  'rate-limit',
  'rate-limit-bare',
  'rate-limit-ms',
  'rate-limit-date',
  'rate-limit-hour',
  'server-error',
  'unavailable',
  'hang',
  'cut',
  'cut-body',
  'malformed-json',
  'no-choices',
  'wrong-schema',
  'not-json',
  'empty',
  'length',
  'filtered',
  'filter-error',
  'huge',
  'nul',
  'context-length',
  'bad-request',
  'echo',
  'model-not-found',
  'unauthorized',
  'forbidden',
  'payment-required',
  'insufficient-quota',
] as const;

export type FaultName = (typeof faultNames)[number];

/** Faults that a retry can overcome. */
const transient: readonly FaultName[] = [
  'rate-limit',
  'rate-limit-bare',
  'rate-limit-ms',
  'server-error',
  'cut',
  'cut-body',
  'malformed-json',
  'empty',
];

/** Reads `all`, `transient`, `none` or a list: `rate-limit,cut`. */
export function parseFaults(text: string): readonly FaultName[] {
  if (text === 'all') return faultNames;
  if (text === 'transient') return transient;
  if (text === 'none' || text === '') return [];
  return text.split(',').map((name) => {
    const known = faultNames.find((each) => each === name);
    if (!known) throw new Error(`there is no fault ${name}. Use ${faultNames.join(', ')}, all, transient or none`);
    return known;
  });
}

/** One request in four meets a fault, which follows from what it asks; from its second try on, it is answered. */
export const faultByContent =
  (faults: readonly FaultName[], share = 0.25) =>
  ({ key, attempt }: { readonly key: string; readonly attempt: number }): FaultName | undefined =>
    attempt === 1 && faults.length > 0 && hashed('met', key) % 1_000 < share * 1_000
      ? faults[hashed('which', key) % faults.length]
      : undefined;

/** One request in twelve meets a fault, whenever it is made. */
export const stubbornByContent =
  (faults: readonly FaultName[]) =>
  ({ key }: { readonly key: string }): FaultName | undefined =>
    faults.length > 0 && hashed('stubborn', key) % 12 === 0 ? faults[hashed('of the stubborn', key) % faults.length] : undefined;
