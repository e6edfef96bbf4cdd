import type { Plan } from '../pipeline/index.ts';
import { redactor, type Redact } from '../kit/redactor.ts';

/** Returns a function that removes a plan's secrets from texts. */
export const planRedactor = ({ secrets }: Plan): Redact =>
  redactor(
    secrets.map(({ value }) => value),
    '[secret]',
  );
