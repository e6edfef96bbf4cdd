import { namePattern, nameLengthMax, stepsMax } from '../../schema/index.ts';
import { joiningStep, unitingStep } from './branch-steps.ts';
import { droppingStep, nonNullStep, renamingStep, selectingStep } from './column-steps.ts';
import type { DraftStep, Where } from './draft-step.ts';
import { addingStep, branchName, branchStep, filteringStep, replacingStep, restartingStep, routingStep } from './function-steps.ts';
import type { Builder, Node } from './node.ts';
import { callSite, refuse } from './refuse.ts';
import { sourceStep } from './source-step.ts';
import type { StepOptions } from './steps.ts';

type Options = StepOptions | undefined;

/** Collects the steps that a definition makes. */
export class Draft {
  readonly #steps = new Map<string, DraftStep>();
  readonly #nodes = new WeakMap<object, DraftStep>();
  #isOver = false;

  /** In the order in which they were made: each after those it reads from. */
  get steps(): readonly DraftStep[] {
    return [...this.#steps.values()];
  }

  /** Ends the definition: from now on its nodes are another pipeline's, or come too late. */
  end(): void {
    this.#isOver = true;
  }

  /** Whether a value is a node of this very definition, and which step's. */
  stepOf(node: unknown): string | undefined {
    return typeof node === 'object' && node !== null ? this.#nodes.get(node)?.name : undefined;
  }

  /** What the definition is given. Named functions throughout, so that a call site can be told from the stack. */
  builder(params: unknown): Builder<never> {
    const begin = this.#begin.bind(this);
    const add = this.#add.bind(this);
    const branches = this.#branches.bind(this);
    const all = this.#steps;
    return {
      params,
      source: function source(name: string, step: never, beside?: Options) {
        return add(sourceStep(step, beside, begin(name, callSite(source))));
      },
      join: function join(name: string, nodes: readonly unknown[], options?: unknown) {
        const where = begin(name, callSite(join));
        return add(joiningStep(listsOf(options, where), { branches: branches(nodes, where), all, beside: undefined, where }));
      },
      union: function union(name: string, nodes: readonly unknown[], beside?: Options) {
        const where = begin(name, callSite(union));
        return add(unitingStep({ branches: branches(nodes, where), all, beside, where }));
      },
    } as unknown as Builder<never>;
  }

  #begin(name: unknown, site: string): Where {
    if (typeof name !== 'string' || !namePattern.test(name) || name.length > nameLengthMax) {
      refuse(`${JSON.stringify(name)} cannot be a step's name: use letters, digits, _ and -, at most ${nameLengthMax}.`, { site });
    }
    if (this.#isOver) {
      const what = 'what it is made from is of another pipeline, or of a definition that has ended';
      refuse(`${what}: make steps from this pipeline's own nodes, while its definition runs.`, { step: name, site });
    }
    const before = this.#steps.get(name);
    if (before) refuse(`there are two steps of this name: the first ${before.site || 'comes earlier'}. Rename one.`, { step: name, site });
    if (this.#steps.size >= stepsMax) refuse(`a pipeline has at most ${stepsMax} steps.`, { step: name, site });
    return { step: name, site };
  }

  #branches(nodes: unknown, where: Where): readonly DraftStep[] {
    if (!Array.isArray(nodes)) refuse('it takes a list of nodes: [one, other].', where);
    return nodes.map((node: object, index) => {
      const step = this.#nodes.get(node ?? {});
      if (!step) refuse(`what is given at ${index} is no node of this pipeline: give what its steps returned.`, where);
      return step;
    });
  }

  #add(step: DraftStep): Node<never> {
    this.#steps.set(step.name, step);
    const begin = this.#begin.bind(this);
    const add = this.#add.bind(this);
    const upstream = step;
    const adding = (operator: 'map' | 'mapBatch' | 'flatMap', own: (...args: never[]) => unknown, [name, of, beside]: Args) =>
      add(addingStep(operator, { upstream, step: of as never, beside, where: begin(name, callSite(own)) }));
    const node = {
      name: step.name,
      map: function map(...args: Args) {
        return adding('map', map, args);
      },
      mapBatch: function mapBatch(...args: Args) {
        return adding('mapBatch', mapBatch, args);
      },
      flatMap: function flatMap(...args: Args) {
        return adding('flatMap', flatMap, args);
      },
      replace: function replace(...[name, of, beside]: Args) {
        return add(replacingStep({ upstream, step: of as never, beside, where: begin(name, callSite(replace)) }));
      },
      batch: function batch(...[name, of, beside]: Args) {
        return add(restartingStep('batch', { upstream, step: of as never, beside, where: begin(name, callSite(batch)) }));
      },
      global: function global(...[name, of, beside]: Args) {
        return add(restartingStep('global', { upstream, step: of as never, beside, where: begin(name, callSite(global)) }));
      },
      filter: function filter(...[name, of, beside]: Args) {
        return add(filteringStep({ upstream, step: of as never, beside, where: begin(name, callSite(filter)) }));
      },
      route: function route(...[name, of, beside]: Args) {
        const where = begin(name, callSite(route));
        const routing = routingStep({ upstream, step: of as never, beside, where });
        add(routing);
        const { branches } = routing as DraftStep & { readonly branches: readonly string[] };
        const nodes = branches.map((branch) => [branch, add(branchStep(routing, branch, begin(branchName(name, branch), where.site)))]);
        return Object.freeze(Object.fromEntries(nodes));
      },
      select: function select(name: string, columns: readonly string[], beside?: Options) {
        return add(selectingStep(columns, { upstream, beside, where: begin(name, callSite(select)) }));
      },
      drop: function drop(name: string, columns: readonly string[], beside?: Options) {
        return add(droppingStep(columns, { upstream, beside, where: begin(name, callSite(drop)) }));
      },
      nonNull: function nonNull(name: string, columns: readonly string[], beside?: Options) {
        return add(nonNullStep(columns, { upstream, beside, where: begin(name, callSite(nonNull)) }));
      },
      rename: function rename(name: string, names: Readonly<Record<string, string>>, beside?: Options) {
        return add(renamingStep(names, { upstream, beside, where: begin(name, callSite(rename)) }));
      },
    };
    this.#nodes.set(Object.freeze(node), step);
    return node as unknown as Node<never>;
  }
}

type Args = readonly [name: string, step: unknown, beside?: Options];

function listsOf(options: unknown, where: Where): Readonly<Record<string, string>> {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) refuse('options of a join are an object: { lists: { … } }.', where);
  const unknown = Object.keys(options).find((key) => key !== 'lists');
  if (unknown !== undefined) refuse(`there is no option ${unknown}; there is lists.`, where);
  const { lists = {} } = options as { readonly lists?: unknown };
  if (typeof lists !== 'object' || lists === null) refuse("lists is an object: { generation: 'generations' }.", where);
  return lists as Readonly<Record<string, string>>;
}
