import type { Plan } from '#pipeline';
import { redactor, type Redact } from '#kit/redactor';

/** Takes a plan's secrets out of texts. */
export const planRedactor = ({ secrets }: Plan): Redact =>
  redactor(
    secrets.map(({ value }) => value),
    '[secret]',
  );
