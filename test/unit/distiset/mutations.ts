/** A change to one place of a JSON document, with its description. */
export interface Mutation {
  readonly path: string;
  readonly what: string;
  /** The document with the change. */
  readonly document: unknown;
}

/** Changes a document in every place, one at a time: each leaf gets another value, each member is left out, each object gets one more. */
export function mutations(document: unknown): readonly Mutation[] {
  const found: Mutation[] = [];
  const visit = (value: unknown, path: string, replaced: (by: unknown) => unknown): void => {
    if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
      found.push({ path, what: 'another value', document: replaced(otherThan(value)) });
      return;
    }
    if (Array.isArray(value)) {
      const items = value as readonly unknown[];
      found.push({ path, what: 'an item more', document: replaced([...items, items.at(-1)]) });
      for (const [index, item] of items.entries()) {
        found.push({ path: `${path}[${index}]`, what: 'left out', document: replaced(items.filter((_, at) => at !== index)) });
        visit(item, `${path}[${index}]`, (by) => replaced(items.with(index, by)));
      }
      return;
    }
    found.push({ path, what: 'a member more', document: replaced({ ...value, more: 1 }) });
    for (const [key, member] of Object.entries(value)) {
      const at = path === '' ? key : `${path}.${key}`;
      const { [key]: _left, ...others } = value as Readonly<Record<string, unknown>>;
      found.push({ path: at, what: 'left out', document: replaced(others) });
      visit(member, at, (by) => replaced({ ...value, [key]: by }));
    }
  };
  visit(document, '', (by) => by);
  return found;
}

function otherThan(value: unknown): unknown {
  if (typeof value === 'string') return value === 'committed' ? 'finished' : value === 'finished' ? 'committed' : `${value}x`;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return value === null ? 'something' : null;
}
