import type { Plan } from '#pipeline';
import { redactor } from '#kit/redactor';

/** Takes a plan's secrets out of texts. */
export const planRedactor = ({ secrets }: Plan): ((text: string) => string) =>
  redactor(
    secrets.map(({ value }) => value),
    '[secret]',
  );
