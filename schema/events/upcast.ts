import { catalogue, type CatalogueEntry, type EventType } from './catalogue.ts';
import { checkedData } from './checked-data.ts';

/** Turns data of one version into data of the next. Pure; never touches what is stored. */
export type Upcaster = (data: unknown) => unknown;

/** Spans of version 1 have no `rows`, so its data is also data of version 2. A program that reads only version 1 would take such a span for all its rows. */
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
 * Data of any version that was ever released, as the current one: upcast step by step, then parsed. An unknown type or a version newer than this
 * program's is not an error here: folds skip it, `resume` refuses it.
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
  const parsed = checkedData(entry.data, current);
  return parsed.success
    ? { known: true, data: parsed.data }
    : { known: false, reason: `data of ${type} has another shape: ${parsed.error.issues[0]?.message ?? ''}` };
}

/** A text that changes whenever an event's shape or an upcaster does: snapshots are keyed by its hash. */
export function schemaText(toJsonSchema: (schema: CatalogueEntry['data']) => unknown): string {
  const shapes = Object.entries(catalogue).map(([type, entry]) => [type, entry.version, toJsonSchema(entry.data)]);
  const casts = Object.entries(upcasters).map(([type, by]) => [
    type,
    Object.entries(by ?? {}).map(([version, cast]) => [version, String(cast)]),
  ]);
  return JSON.stringify({ shapes, casts });
}
