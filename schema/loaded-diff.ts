import type { Loaded } from './loaded.ts';

/** Returns one line for each package or import that was added, removed or changed since a pipeline was recorded. */
export function loadedDiff(recorded: Loaded, now: Loaded): readonly string[] {
  return [...packageChanges(recorded, now), ...importChanges(recorded, now), ...moreChanges(recorded, now)];
}

function packageChanges(recorded: Loaded, now: Loaded): readonly string[] {
  const before = Map.groupBy(recorded.packages, ({ name }) => name);
  const after = Map.groupBy(now.packages, ({ name }) => name);
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old = [], fresh = []] = [before.get(name), after.get(name)];
    const [was, is] = [versionsOf(old), versionsOf(fresh)];
    if (was === '') return [`${name} ${is} is new`];
    if (is === '') return [`${name} ${was} is gone`];
    if (was !== is) return [`${name} ${was} → ${is}`];
    const others = fresh.filter(({ version, sha256 }) => {
      const same = old.find((each) => each.version === version);
      // A package without a hash was named but not loaded, so it cannot be compared.
      return same && same.sha256 !== null && sha256 !== null && same.sha256 !== sha256;
    });
    return others.map(({ version }) => `${name} ${version}: other code under the same version`);
  });
}

const versionsOf = (packages: Loaded['packages']): string => [...new Set(packages.map(({ version }) => version))].sort().join(', ');

function importChanges(recorded: Loaded, now: Loaded): readonly string[] {
  const key = ({ from, name }: Loaded['imports'][number]) => `${name} in ${from}`;
  const before = new Map(recorded.imports.map((each) => [key(each), each.to]));
  const after = new Map(now.imports.map((each) => [key(each), each.to]));
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((each) => {
    const [was, is] = [before.get(each), after.get(each)];
    return was === is ? [] : [`${each}: ${was ?? 'nothing'} → ${is ?? 'nothing'}`];
  });
}

const moreChanges = (recorded: Loaded, now: Loaded): readonly string[] =>
  recorded.more?.sha256 === now.more?.sha256 ? [] : ['packages or imports beyond the first five hundred differ'];
