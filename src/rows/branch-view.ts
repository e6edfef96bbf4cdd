import { originColumn, type ManifestStep } from '../../schema/index.ts';
import type { View } from './batch-view.ts';
import { branchOrigins } from './origins.ts';

/**
 * Returns a branch's rows as its union has them. A column that the branch lacks is null. `isTwice` says that another branch may hold the same rows.
 * Origins then name the branch.
 */
export function branchView(view: View, union: Pick<ManifestStep, 'upstream' | 'from'>, branch: string, isTwice: boolean): View {
  const index = union.upstream.indexOf(branch);
  const isLacking = (name: string) => union.from.some(({ column, upstream }) => column === name && !upstream.includes(index));
  return {
    count: view.count,
    column: (name) => {
      if (isLacking(name)) return Promise.resolve(Array.from({ length: view.count }, () => null));
      const values = view.column(name);
      return isTwice && name === originColumn ? values.then((origins) => branchOrigins(branch, origins)) : values;
    },
  };
}
