export { byteChunks, isPrematureClose } from "./byte-chunks.js";
export type { Dial } from "./dial.js";
export type { SlipwayErrorCode } from "./error-codes.js";
export {
  AbortedError,
  DeadlineError,
  InvalidArgumentError,
  SlipwayError,
  type SlipwayErrorOptions,
  isError,
  isSlipwayError,
  messageOf,
} from "./errors.js";
export { goFixed } from "./go-fixed.js";
export { type Interval, mergeIntervals, secondsOf } from "./intervals.js";
export { nextTurn } from "./next-turn.js";
export { percentDecode, percentDecodeBytes } from "./percent.js";
export { processWide } from "./process-wide.js";
export { randomId } from "./random-id.js";
export { connectSocket } from "./connect-socket.js";
export {
  type BuildEvent,
  type SolveFailure,
  type EventSink,
  type ProgressGroup,
  type SourceInfo,
  type SourceLocation,
  type SourceRange,
  type StatusUpdate,
  type Vertex,
  type VertexLog,
  type VertexStatus,
  type BuildExplanation,
  type ExplainedStep,
  type NetworkReport,
  type NetworkRequest,
  type StepCause,
  type VertexWarning,
  type VertexWriter,
  statusEvent,
  withVertex,
} from "./progress.js";
export { type CallGuard, guardCalls, withGuardedWarnings } from "./guard-calls.js";
export { type GuardedEvents, guardEvents, withGuardedEvents } from "./guard-events.js";
export { holdReadable, holdStream, takeHeld } from "./hold-stream.js";
export {
  allowListeners,
  type LinkedSignal,
  abortError,
  linkSignal,
  orAborted,
  sideBySide,
  sleep,
  throwIfAborted,
  untilAborted,
  withDeadline,
} from "./signals.js";
export { timerDelay } from "./timer-delay.js";
export { Redactor, blankSecrets, blankUsers, blankValue } from "./redactor.js";
export {
  type Kind,
  type Kinds,
  amount,
  callback,
  either,
  environment,
  flag,
  kind,
  listOf,
  mapOf,
  milliseconds,
  nameOf,
  object,
  oneOf,
  shape,
  signal,
  text,
} from "./kinds.js";
export { nearestHint } from "./nearest-name.js";
export { readOptions } from "./read-options.js";
export { smallSha256 } from "./small-sha256.js";
export {
  type ByteSource,
  type ForeignReadable,
  type Bytes,
  bytesOf,
  isBlob,
  isByteSource,
  isByteTarget,
  readableOf,
  writableOf,
} from "./foreign-data.js";
export { ownBytes } from "./own-bytes.js";
export { checkShape, parseJson } from "./parse-json.js";
export { clipText, soundCount } from "./sound-values.js";
export { type WireTime, dateOf } from "./timestamp.js";
export { roomIn } from "./room-in.js";
export { withoutUndefined } from "./without-undefined.js";
export { trimBoth, trimTrailing } from "./trim.js";
