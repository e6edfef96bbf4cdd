// A run's log as anyone would write it down on paper: lists of events, and who may write. Random commands go to it and to a store, and must come out alike.
import fc from 'fast-check';
import { expect } from 'vitest';
import type { NewEvent } from '#schema';
import { hasCode } from '#kit/fault';
import { newId } from '#kit/ids';
import { parseInstant } from '#kit/instant';
import {
  appendSideEvent,
  encodeEvent,
  openAppender,
  parseAsOf,
  resolveAsOf,
  runLogId,
  sideLogId,
  verify,
  type Appended,
  type AppendRequest,
  type AppendResult,
  type DriverSession,
  type Store,
} from '#log';
