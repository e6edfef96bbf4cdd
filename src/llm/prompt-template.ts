import { Template } from '@huggingface/jinja';
import { Fault, messageOf } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';
import { NonRetryableError } from '../pipeline/index.ts';
import { listFreeVariables } from './free-variables.ts';

/** A Jinja template over the columns of a row. */
export interface PromptTemplate {
  readonly text: string;
  /** The columns that it requires. */
  readonly columns: readonly string[];
  render(row: JsonObject): string;
}

/** Parses a template. Throws `Fault('invalid-pipeline')` for one that is not Jinja. */
export function compileTemplate(text: string): PromptTemplate {
  const template = parseTemplate(text);
  return {
    text,
    columns: listFreeVariables(template.parsed),
    render: (row) => {
      try {
        return template.render(row);
      } catch (error) {
        throw new NonRetryableError(`The template ${quote(text)} cannot be rendered for this row: ${messageOf(error)}`, {
          code: 'invalid-prompt',
        });
      }
    },
  };
}

function parseTemplate(text: string): Template {
  try {
    return new Template(text);
  } catch (error) {
    throw new Fault('invalid-pipeline', `The template ${quote(text)} is not Jinja: ${messageOf(error)}`);
  }
}

const quotedMax = 60;

/** Returns a template as messages show it: quoted, on one line and shortened. */
export function quote(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return JSON.stringify(line.length > quotedMax ? `${line.slice(0, quotedMax)}…` : line);
}
