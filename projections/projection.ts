import type { EventType, RecordedEvent } from '../schema/index.ts';

/** A fold that is a value: named, versioned, pure, synchronous and total. State is JSON. */
export interface Projection<State> {
  readonly name: string;
  /** Bumped whenever the same events give another state: snapshots of other versions are never read. */
  readonly version: number;
  readonly handles: readonly EventType[];
  initialState(): State;
  /** The state after one more event. What it does not handle changes nothing. */
  evolve(state: State, event: RecordedEvent): State;
}

export interface ProjectionSpec<State> {
  readonly name: string;
  readonly version: number;
  readonly initialState: () => State;
  readonly on: { readonly [T in EventType]?: (state: State, event: RecordedEvent<T>) => State };
}

/** Makes a projection of its cases. What it handles is derived from them. */
export function projection<State>(spec: ProjectionSpec<State>): Projection<State> {
  const cases = spec.on as Readonly<Record<string, ((state: State, event: RecordedEvent) => State) | undefined>>;
  return {
    name: spec.name,
    version: spec.version,
    handles: Object.keys(spec.on) as EventType[],
    initialState: spec.initialState,
    evolve: (state, event) => (Object.hasOwn(cases, event.type) ? (cases[event.type]?.(state, event) ?? state) : state),
  };
}

/** Evolve over many. */
export function fold<State>(of: Projection<State>, events: Iterable<RecordedEvent>, from: State = of.initialState()): State {
  let state = from;
  for (const event of events) state = of.evolve(state, event);
  return state;
}
