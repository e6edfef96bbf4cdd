export {
  chunkBytesMax,
  chunkRowsMax,
  chunkUnpackedMax,
  eventBytesMax,
  loadedMax,
  nameLengthMax,
  rejectionBytesInlineMax,
  rowBytesMax,
  stepsMax,
  undeclaredMax,
} from './bounds.ts';
export { callSchema, type Call } from './call.ts';
export { checkpointsSchema, type Checkpoint, type Checkpoints } from './checkpoint.ts';
export {
  catalogue,
  isEventType,
  type CatalogueEntry,
  type DataOf,
  type EventType,
  type LevelFields,
  type NewEvent,
  type RecordedEvent,
} from './events/catalogue.ts';
export {
  acceptedChangeSchema,
  actorSchema,
  outcomeSchema,
  pauseReasonSchema,
  triedAgainSchema,
  type AcceptedChange,
  type Actor,
  type Outcome,
  type PauseReason,
  type Seeds,
  type TriedAgain,
} from './events/run-events.ts';
export { checkData } from './events/checked-data.ts';
export { currentData, schemaText } from './events/upcast.ts';
export { changedFiles, definitionDiff, type StepChange } from './definition-diff.ts';
export { writtenVersion } from './events/written-version.ts';
export { failureSchema, type Failure } from './failure.ts';
export type { Immutable } from './immutable.ts';
export { loadedSchema, type Loaded } from './loaded.ts';
export { loadedDiff } from './loaded-diff.ts';
export {
  definitionSchema,
  cutSchema,
  manifestSchema,
  manifestStepSchema,
  operatorSchema,
  stepOptionsSchema,
  namePattern,
  type ColumnOrigin,
  type Cut,
  type Definition,
  type DefinitionStep,
  type Json,
  type JsonObject,
  type Manifest,
  type ManifestOptions,
  type ManifestStep,
  type Operator,
} from './manifest.ts';
export { givesRowsTwice } from './united-rows.ts';
export {
  branchColumn,
  hiddenPrefix,
  itemColumn,
  joinedColumn,
  originColumn,
  parsePlace,
  placeColumn,
  placeText,
  type RowPlace,
} from './hidden-columns.ts';
export type { PackedChunk } from './packed-chunk.ts';
export type { Place, Range, Span } from './place.ts';
export { rejectionSchema, type Rejected, type Rejection } from './rejection.ts';
export { isStorable, storableMessage, storableStack, storableText } from './text.ts';
export { usageSchema, type Usage } from './usage.ts';
