export {
  chunkBytesMax,
  chunkRowsMax,
  eventBytesMax,
  messageLengthMax,
  nameLengthMax,
  rejectionBytesInlineMax,
  rowBytesMax,
  stackLengthMax,
  stepsMax,
} from './bounds.ts';
export { callSchema, type Call } from './call.ts';
export {
  catalogue,
  isEventType,
  type CatalogueEntry,
  type DataOf,
  type EventType,
  type NewEvent,
  type RecordedEvent,
} from './events/catalogue.ts';
export type { AcceptedChange, Actor, Outcome, PauseReason } from './events/run-events.ts';
export { currentData, schemaText, type Known, type Upcaster } from './events/upcast.ts';
export type { Failure } from './failure.ts';
export {
  definitionSchema,
  namePattern,
  type Cut,
  type Definition,
  type DefinitionStep,
  type Manifest,
  type ManifestOptions,
  type ManifestStep,
  type Operator,
} from './manifest.ts';
export type { Place, Range, Span } from './place.ts';
export type { Rejected, Rejection } from './rejection.ts';
export { storableMessage, storableStack, storableText } from './text.ts';
export type { Usage } from './usage.ts';
