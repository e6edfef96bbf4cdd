import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { readSchemaFacts, type SchemaFacts } from './schema-facts.ts';
import { findOtherGrants } from './schema-grants.ts';

const expectedFile = new URL('../../schema/fingerprint.json', import.meta.url);
/** Longest fact that is shown. */
const shownMax = 80;

/** Describes each difference between a store's schema and the one that this version's migrations create: `events.append_only is switched off`. */
export async function findSchemaDifferences(client: pg.ClientBase): Promise<readonly string[]> {
  const expected = JSON.parse(readFileSync(expectedFile, 'utf8')) as SchemaFacts;
  const found = await readSchemaFacts(client);
  return [...new Set([...compareFacts(expected, found), ...(await findOtherGrants(client))])];
}

function compareFacts(expected: SchemaFacts, found: SchemaFacts): readonly string[] {
  const own = Object.entries(expected).flatMap(([object, facts]) => {
    const there = found[object];
    if (!there) return [`${nameOf(object)} is dropped`];
    return [...new Set([...Object.keys(facts), ...Object.keys(there)])].flatMap((what) =>
      facts[what] === there[what] ? [] : [describeDifference(nameOf(object), what, facts[what], there[what])],
    );
  });
  const strange = Object.keys(found)
    .filter((object) => !(object in expected))
    .map((object) => `${object} is not distilog's`);
  return [...own, ...strange];
}

/** Returns an object's name without a function's parameters, because the schema has no overloaded functions. */
const nameOf = (object: string): string => object.replace(/^(function \w+)\(.*\)$/, '$1');

function describeDifference(object: string, what: string, expected: string | undefined, found: string | undefined): string {
  if (what === 'fires') return found === 'never' ? `${object} is switched off` : `${object} fires ${found}, not ${expected}`;
  if (expected === undefined) return `${object} has another ${what}: ${found}`;
  if (found === undefined) return `${object} lacks ${what}`;
  const isShown = what !== 'text' && expected.length + found.length <= shownMax;
  return isShown ? `${object}: ${what} is ${found || 'none'}, not ${expected || 'none'}` : `${object}: ${what} is another`;
}
