import type { Definition, DefinitionStep } from '../../schema/index.ts';
import { canonicalJson } from '../kit/json.ts';
import { Fault, isFault } from '../kit/fault.ts';
import { holdsSecret, redactor, secretLengthMin } from '../kit/redactor.ts';
import { envName, type ParsedParams } from './params.ts';
import { refuse } from './refuse.ts';

/** Refuses secrets that are too short to be redacted, because that would otherwise go unnoticed. An empty value is not a secret. */
export function refuseShortSecrets(secrets: ParsedParams['secrets']): void {
  const short = secrets.find(({ value }) => value.length > 0 && value.length < secretLengthMin);
  if (short === undefined) return;
  const what = `Secret ${short.name} has ${short.value.length} character${short.value.length === 1 ? '' : 's'}`;
  throw new Fault(
    'invalid-params',
    `${what} and cannot be redacted from the log and from messages, because ordinary words are as short. Use one of at least ${secretLengthMin}, or declare it as an ordinary param.`,
  );
}

/** Calls `define` and redacts secrets in the message of a fault that it throws. */
export function withoutSecrets<T>(secrets: ParsedParams['secrets'], define: () => T): T {
  try {
    return define();
  } catch (error) {
    if (!isFault(error)) throw error;
    const redact = redactor(
      secrets.map(({ value }) => value),
      '[secret]',
    );
    const message = redact(error.message);
    throw message === error.message ? error : new Fault(error.code, message, { details: error.details });
  }
}

/** Minimum length of a secret to search for. Shorter values occur in ordinary data, code and files. */
const lengthMin = { data: 4, code: 8, file: 12 } as const;

/** Refuses a definition that would record a secret, in a step or in the pipeline's files. The message names the secret but never shows its value. */
export function refuseSecrets(secrets: ParsedParams['secrets'], { steps, sources }: Definition): void {
  for (const { name, value } of secrets) {
    const written = JSON.stringify(value).slice(1, -1);
    for (const step of steps) {
      const part = listParts(step).find(
        ({ text, kind }) =>
          value.length >= lengthMin[kind] && (text.includes(written) || (value.length >= lengthMin.code && holdsSecret(text, value))),
      );
      if (part) {
        const what = `its ${part.name} contains secret ${name}, which would be recorded`;
        refuse(`${what}. Read it where it is used, through a resource.`, part.name === 'name' ? {} : { step: step.name });
      }
    }
    const file = value.length >= lengthMin.file ? sources.find(({ text }) => holdsSecret(text, value)) : undefined;
    if (file) {
      const what = `${file.path} contains the value of secret ${name}, which would be recorded`;
      refuse(`${what}. Remove it from the file, and set DISTILOG_PARAM_${envName(name)}.`);
    }
  }
}

interface DefinitionPart {
  readonly name: string;
  readonly kind: 'data' | 'code';
  readonly text: string;
}

/** Lists the recorded parts of a step as JSON. The names of our own members are left out: they are not secrets. */
function listParts({ name, id, version, captures, settings, columns, code }: DefinitionStep): readonly DefinitionPart[] {
  const data = { name, id, version, captures, settings };
  const words = columns.map((column) => [column.name, column.schema]);
  return [
    ...Object.entries(data).map(([part, value]): DefinitionPart => ({ name: part, kind: 'data', text: canonicalJson(value) })),
    { name: 'columns', kind: 'code', text: canonicalJson(words) },
    { name: 'code', kind: 'code', text: canonicalJson(code) },
  ];
}
