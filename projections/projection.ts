import type { EventType, RecordedEvent } from '../schema/index.ts';

/** A named, versioned fold over a log. It is pure, synchronous and total. Its state is JSON. */
export interface Projection<State> {
  readonly name: string;
  /** Must be raised whenever the same events give another state. Snapshots of other versions are never read. */
  readonly version: number;
  /** Types of events that may change the state. */
  readonly handles: readonly EventType[];
  initialState(): State;
  /** Returns the state after one more event. Events of other types than `handles` change nothing. */
  evolve(state: State, event: RecordedEvent): State;
}

/** The parts that a projection is made of. */
export interface ProjectionSpec<State> {
  readonly name: string;
  readonly version: number;
  readonly initialState: () => State;
  /** Returns the next state, by type of event. */
  readonly on: { readonly [T in EventType]?: (state: State, event: RecordedEvent<T>) => State };
}

/** Creates a projection. `handles` is derived from the cases in `on`. */
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

/** Returns the state after several events, starting from `before` (default: the initial state). */
export function fold<State>(folded: Projection<State>, events: Iterable<RecordedEvent>, before: State = folded.initialState()): State {
  let state = before;
  for (const event of events) state = folded.evolve(state, event);
  return state;
}
