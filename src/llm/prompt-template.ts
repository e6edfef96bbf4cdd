import { Template } from '@huggingface/jinja';
import { Fault, messageOf } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';
import { NonRetryableError } from '../pipeline/index.ts';
import { freeVariables } from './free-variables.ts';

/** A Jinja template over the columns of a row. */
export interface PromptTemplate {
  readonly text: string;
  /** The columns without which it cannot be filled in. */
  readonly columns: readonly string[];
  render(row: JsonObject): string;
}

/** Reads a template. Throws `Fault('invalid-pipeline')` for one that is not Jinja. */
export function promptTemplate(text: string): PromptTemplate {
  const template = parsed(text);
  return {
    text,
    columns: freeVariables(template.parsed),
    render: (row) => {
      try {
        return template.render(row);
      } catch (error) {
        throw new NonRetryableError(`The template ${quoted(text)} cannot be filled in for this row: ${messageOf(error)}`, {
          code: 'invalid-prompt',
        });
      }
    },
  };
}

function parsed(text: string): Template {
  try {
    return new Template(text);
  } catch (error) {
    throw new Fault('invalid-pipeline', `The template ${quoted(text)} is not Jinja: ${messageOf(error)}`);
  }
}

const quotedMax = 60;

/** A template as messages show it: in quotes, on one line, and not too long. */
export function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return JSON.stringify(line.length > quotedMax ? `${line.slice(0, quotedMax)}…` : line);
}
