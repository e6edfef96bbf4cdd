import { catalogue, type CatalogueEntry, type EventType } from './catalogue.ts';
import { checkData } from './checked-data.ts';

/** Returns data of one version as data of the next. It is pure and does not change stored data. */
export type Upcaster = (data: unknown) => unknown;

/** Spans of version 1 have no `rows`, so its data is also data of version 2. A program that knows version 1 only would ignore `rows` and read all rows of the span. */
const withoutRowLists: Upcaster = (data) => data;

/** Version 1 of `RunReopened` has one chunk. */
const withoutPages: Upcaster = (data) => (typeof data === 'object' && data !== null ? { ...data, pages: [] } : data);

/** Upcasters by type, then by the version that they read. */
export const upcasters: Readonly<Partial<Record<EventType, Readonly<Record<number, Upcaster>>>>> = {
  RunReopened: { 1: withoutPages },
  BatchStarted: { 1: withoutRowLists },
  BatchSucceeded: { 1: withoutRowLists },
};

export type UpcastResult = { readonly known: true; readonly data: unknown } | { readonly known: false; readonly reason: string };

/**
 * Returns data of any released version as data of the current one: upcasts it step by step, then parses it. An unknown type or a newer version is not an
 * error here: folds skip such events, and `resume` refuses the run.
 */
export function currentData(
  type: string,
  version: number,
  data: unknown,
  entries: Readonly<Record<string, CatalogueEntry>> = catalogue,
  casters: Readonly<Record<string, Readonly<Record<number, Upcaster>> | undefined>> = upcasters,
): UpcastResult {
  const entry = Object.hasOwn(entries, type) ? entries[type] : undefined;
  if (!entry) return { known: false, reason: `events of type ${type} are unknown to this version of distilog` };
  if (version > entry.version) return { known: false, reason: `version ${version} of ${type} is newer than this version of distilog` };
  let current = data;
  for (let from = version; from < entry.version; from++) {
    const cast = casters[type]?.[from];
    if (!cast) return { known: false, reason: `nothing reads version ${from} of ${type}` };
    current = cast(current);
  }
  const parsed = checkData(entry.data, current);
  return parsed.success
    ? { known: true, data: parsed.data }
    : { known: false, reason: `data of ${type} has another shape: ${parsed.error.issues[0]?.message ?? ''}` };
}

/**
 * Returns a text that changes with any event's shape, and with each upcaster that is added. Its hash is part of the keys of snapshots. The text of an
 * upcaster is not part of it, because a compiler may print the same function otherwise: an upcaster never changes once it is released.
 */
export function schemaText(toJsonSchema: (schema: CatalogueEntry['data']) => unknown): string {
  const shapes = Object.entries(catalogue).map(([type, entry]) => [type, entry.version, toJsonSchema(entry.data)]);
  const casts = Object.entries(upcasters).map(([type, by]) => [type, Object.keys(by ?? {})]);
  return JSON.stringify({ shapes, casts });
}
