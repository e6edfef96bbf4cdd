export { beginning, createDistiset, type Distiset, type DistisetConfig, type DistisetOptions } from './create-distiset.ts';
export { leafState, type LeafState } from './leaf-state.ts';
