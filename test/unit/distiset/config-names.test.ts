import { describe, expect, it } from 'vitest';
import { stepNamed } from '../../../src/distiset/index.ts';

const step = (name: string, ...upstream: readonly string[]) => ({ name, upstream });

describe('the name of a config', () => {
  it('means the only leaf, which the dataset shows under it', () => {
    expect(stepNamed([step('rows'), step('answer', 'rows')], 'default')).toBe('answer');
  });

  it('means a step of that name first', () => {
    expect(stepNamed([step('default'), step('answer', 'default')], 'default')).toBe('default');
  });

  it('means nothing where there are several leaves, which are shown under their own names', () => {
    const steps = [step('rows'), step('left', 'rows'), step('right', 'rows')];
    expect(stepNamed(steps, 'default')).toBe('default');
    expect(stepNamed(steps, 'left')).toBe('left');
    expect(stepNamed(steps, 'gone')).toBe('gone');
  });
});
