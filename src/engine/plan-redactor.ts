import type { Plan } from '../pipeline/index.ts';
import { redactor, type Redact } from '../kit/redactor.ts';

/** Takes a plan's secrets out of texts. */
export const planRedactor = ({ secrets }: Plan): Redact =>
  redactor(
    secrets.map(({ value }) => value),
    '[secret]',
  );
