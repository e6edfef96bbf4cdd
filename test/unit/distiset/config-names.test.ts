import { describe, expect, it } from 'vitest';
import { resolveStepName } from '../../../src/distiset/index.ts';

const step = (name: string, ...upstream: readonly string[]) => ({ name, upstream });

describe('the name of a config', () => {
  it('means the only leaf, which the dataset shows under that name', () => {
    expect(resolveStepName([step('rows'), step('answer', 'rows')], 'default')).toBe('answer');
  });

  it('means a step of that name first', () => {
    expect(resolveStepName([step('default'), step('answer', 'default')], 'default')).toBe('default');
  });

  it('means nothing if there are several leaves, which are shown under their own names', () => {
    const steps = [step('rows'), step('left', 'rows'), step('right', 'rows')];
    expect(resolveStepName(steps, 'default')).toBe('default');
    expect(resolveStepName(steps, 'left')).toBe('left');
    expect(resolveStepName(steps, 'gone')).toBe('gone');
  });
});
