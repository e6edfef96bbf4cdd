import { namePattern, nameLengthMax, stepsMax } from '../../schema/index.ts';
import { joinStep, unionStep } from './branch-steps.ts';
import { dropStep, nonNullStep, renameStep, selectStep } from './column-steps.ts';
import type { DraftStep, Location } from './draft-step.ts';
import { columnAddingStep, branchName, branchStep, filterStep, replaceStep, newRowsStep, routeStep } from './function-steps.ts';
import type { Builder, Node } from './node.ts';
import { findCallSite, refuse } from './refuse.ts';
import { sourceStep } from './source-step.ts';
import type { StepOptions } from './steps.ts';

type Options = StepOptions | undefined;

/** Collects the steps that a definition creates. */
export class Draft {
  readonly #steps = new Map<string, DraftStep>();
  readonly #nodes = new WeakMap<object, DraftStep>();
  #isOver = false;

  /** The steps in the order of their creation, so each comes after the steps that it reads. */
  get steps(): readonly DraftStep[] {
    return [...this.#steps.values()];
  }

  /** Ends the definition. Any later use of its nodes is refused. */
  end(): void {
    this.#isOver = true;
  }

  /** Returns the step of a node of this definition, or undefined for any other value. */
  stepOf(node: unknown): string | undefined {
    return typeof node === 'object' && node !== null ? this.#nodes.get(node)?.name : undefined;
  }

  /** Returns the argument of the definition. All its functions are named, so that the stack shows the call site. */
  builder(params: unknown): Builder<never> {
    const begin = this.#begin.bind(this);
    const add = this.#add.bind(this);
    const branches = this.#branches.bind(this);
    const all = this.#steps;
    return {
      params,
      source: function source(name: string, step: never, overrides?: Options) {
        return add(sourceStep(step, overrides, begin(name, findCallSite(source))));
      },
      join: function join(name: string, nodes: readonly unknown[], options?: unknown) {
        const location = begin(name, findCallSite(join));
        return add(joinStep(readLists(options, location), { branches: branches(nodes, location), all, overrides: undefined, location }));
      },
      union: function union(name: string, nodes: readonly unknown[], overrides?: Options) {
        const location = begin(name, findCallSite(union));
        return add(unionStep({ branches: branches(nodes, location), all, overrides, location }));
      },
    } as unknown as Builder<never>;
  }

  #begin(name: unknown, site: string): Location {
    if (typeof name !== 'string' || !namePattern.test(name) || name.length > nameLengthMax) {
      refuse(`${JSON.stringify(name)} cannot be a step's name: use letters, digits, _ and -, at most ${nameLengthMax}.`, { site });
    }
    if (this.#isOver) {
      const what = 'its input belongs to another pipeline, or to a definition that has ended';
      refuse(`${what}. Create steps from nodes of this pipeline, while its definition runs.`, { step: name, site });
    }
    const before = this.#steps.get(name);
    if (before) refuse(`two steps have this name; the first ${before.site || 'comes earlier'}. Rename one.`, { step: name, site });
    if (this.#steps.size >= stepsMax) refuse(`a pipeline has at most ${stepsMax} steps.`, { step: name, site });
    return { step: name, site };
  }

  #branches(nodes: unknown, location: Location): readonly DraftStep[] {
    if (!Array.isArray(nodes)) refuse('it takes a list of nodes: [one, other].', location);
    return nodes.map((node: object, index) => {
      const step = this.#nodes.get(node ?? {});
      if (!step) refuse(`item ${index} of the list is not a node of this pipeline. Pass the nodes that its steps returned.`, location);
      return step;
    });
  }

  #add(step: DraftStep): Node<never> {
    this.#steps.set(step.name, step);
    const begin = this.#begin.bind(this);
    const add = this.#add.bind(this);
    const upstream = step;
    const addFunctionStep = (
      operator: 'map' | 'mapBatch' | 'flatMap',
      own: (...args: never[]) => unknown,
      [name, definition, overrides]: Args,
    ) => add(columnAddingStep(operator, { upstream, step: definition as never, overrides, location: begin(name, findCallSite(own)) }));
    const node = {
      name: step.name,
      map: function map(...args: Args) {
        return addFunctionStep('map', map, args);
      },
      mapBatch: function mapBatch(...args: Args) {
        return addFunctionStep('mapBatch', mapBatch, args);
      },
      flatMap: function flatMap(...args: Args) {
        return addFunctionStep('flatMap', flatMap, args);
      },
      replace: function replace(...[name, definition, overrides]: Args) {
        return add(replaceStep({ upstream, step: definition as never, overrides, location: begin(name, findCallSite(replace)) }));
      },
      batch: function batch(...[name, definition, overrides]: Args) {
        return add(newRowsStep('batch', { upstream, step: definition as never, overrides, location: begin(name, findCallSite(batch)) }));
      },
      global: function global(...[name, definition, overrides]: Args) {
        return add(newRowsStep('global', { upstream, step: definition as never, overrides, location: begin(name, findCallSite(global)) }));
      },
      filter: function filter(...[name, definition, overrides]: Args) {
        return add(filterStep({ upstream, step: definition as never, overrides, location: begin(name, findCallSite(filter)) }));
      },
      route: function route(...[name, definition, overrides]: Args) {
        const location = begin(name, findCallSite(route));
        const routing = routeStep({ upstream, step: definition as never, overrides, location });
        add(routing);
        const { branches } = routing as DraftStep & { readonly branches: readonly string[] };
        const nodes = branches.map((branch) => [branch, add(branchStep(routing, branch, begin(branchName(name, branch), location.site)))]);
        return Object.freeze(Object.fromEntries(nodes));
      },
      select: function select(name: string, columns: readonly string[], overrides?: Options) {
        return add(selectStep(columns, { upstream, overrides, location: begin(name, findCallSite(select)) }));
      },
      drop: function drop(name: string, columns: readonly string[], overrides?: Options) {
        return add(dropStep(columns, { upstream, overrides, location: begin(name, findCallSite(drop)) }));
      },
      nonNull: function nonNull(name: string, columns: readonly string[], overrides?: Options) {
        return add(nonNullStep(columns, { upstream, overrides, location: begin(name, findCallSite(nonNull)) }));
      },
      rename: function rename(name: string, names: Readonly<Record<string, string>>, overrides?: Options) {
        return add(renameStep(names, { upstream, overrides, location: begin(name, findCallSite(rename)) }));
      },
    };
    this.#nodes.set(Object.freeze(node), step);
    return node as unknown as Node<never>;
  }
}

type Args = readonly [name: string, step: unknown, overrides?: Options];

function readLists(options: unknown, location: Location): Readonly<Record<string, string>> {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) refuse('the options of a join are an object: { lists: { … } }.', location);
  const unknown = Object.keys(options).find((key) => key !== 'lists');
  if (unknown !== undefined) refuse(`there is no option ${unknown}. The only option is lists.`, location);
  const { lists = {} } = options as { readonly lists?: unknown };
  if (typeof lists !== 'object' || lists === null) refuse("lists is an object: { generation: 'generations' }.", location);
  return lists as Readonly<Record<string, string>>;
}
