import { create, fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, decodeBinaryHeader } from "@connectrpc/connect";
import { SlipwayError, isSlipwayError, messageOf, type SlipwayErrorOptions } from "../core/index.js";
import { grpcCodes } from "../http2/index.js";
import { type ErrorDetail, readErrorDetail } from "./error-details.js";
import { type Status, StatusSchema } from "./gen/google/rpc/status_pb.js";

/**
 * `BUILDKIT_STATUS`: the daemon answered with an error. `BUILDKIT_CONNECTION_LOST`: the connection died under the call;
 * `cause` says why. `BUILDKIT_PROTOCOL`: there was no answer, or one that makes no sense: a
 * stream that was reset, a message above the limit, a passed `timeoutMs`. `BUILDKIT_LIMIT`: there was more in an answer than is
 * taken.
 */
export type BuildkitErrorCode =
  "BUILDKIT_STATUS" | "BUILDKIT_CONNECTION_LOST" | "BUILDKIT_PROTOCOL" | "BUILDKIT_LIMIT";

/** A call to buildkitd failed. The message is the daemon's own. */
export class BuildkitError extends SlipwayError {
  declare readonly code: BuildkitErrorCode;
  /** Everything as sent, to be handed back unchanged (LLBBridge.Return). */
  declare readonly status: Status;
  /** In the order sent. Of several of one kind buildx shows the last. */
  readonly details: readonly ErrorDetail[];

  constructor(code: BuildkitErrorCode, status: Status, options: SlipwayErrorOptions = {}) {
    super(code, status.message, options);
    // Hidden from what prints errors: it repeats the details, and the daemon's stacks are long.
    Object.defineProperty(this, "status", { value: status, enumerable: false });
    this.details = status.details.map(readErrorDetail);
  }

  /** A gRPC status code, e.g. 5 for NotFound. 14 (Unavailable) when the connection was lost. */
  get grpcCode(): number {
    return this.status.code;
  }

  /** The last detail of one kind. */
  detail<T extends ErrorDetail["type"]>(type: T): Extract<ErrorDetail, { type: T }> | undefined {
    return this.details.findLast(
      (detail): detail is Extract<ErrorDetail, { type: T }> => detail.type === type,
    );
  }
}

/** What `grpc-status`, `grpc-message` and `grpc-status-details-bin` of a response say; undefined for OK. */
export function statusError(trailers: {
  code: string | undefined;
  message: string | undefined;
  details: string | undefined;
}): BuildkitError | undefined {
  if (trailers.details !== undefined) {
    const status = decodeStatus(trailers.details);
    if (status && status.code !== 0) return new BuildkitError("BUILDKIT_STATUS", status);
  }
  if (trailers.code === "0") return undefined;
  const code = Number(trailers.code);
  if (trailers.code === undefined || !Number.isInteger(code)) {
    return protocolError("buildkitd ended a call without a status");
  }
  return new BuildkitError(
    "BUILDKIT_STATUS",
    create(StatusSchema, { code, message: unescape(trailers.message) }),
  );
}

/** Any failure of a call through connect as a {@link BuildkitError}; errors of slipway's own stay as they are. */
export function toBuildkitError(error: unknown): SlipwayError {
  if (error instanceof SlipwayError) return isOfConnection(error) ? connectionLost(error) : error;
  if (!(error instanceof ConnectError)) {
    const status = create(StatusSchema, { code: grpcCodes.unknown, message: messageOf(error) });
    return new BuildkitError("BUILDKIT_STATUS", status, { cause: error });
  }
  if (error.cause instanceof SlipwayError) return toBuildkitError(error.cause);
  // The daemon's own words need no cause: connect's error repeats them, with all headers.
  const encoded = error.metadata.get("grpc-status-details-bin");
  const status = encoded === null ? undefined : decodeStatus(encoded);
  if (status) return new BuildkitError("BUILDKIT_STATUS", status);
  const plain = create(StatusSchema, { code: error.code, message: error.rawMessage });
  return error.metadata.has("grpc-status")
    ? new BuildkitError("BUILDKIT_STATUS", plain)
    : new BuildkitError("BUILDKIT_PROTOCOL", plain, { cause: error });
}

/**
 * Whether an error is about the HTTP/2 connection as a whole, such as GOAWAY: no more calls, though those under way may
 * still end.
 */
function isOfConnection({ code }: SlipwayError): boolean {
  return code.startsWith("HTTP2_");
}

/** The connection died under a call. `cause` is what the HTTP/2 client remembers of it. */
export function connectionLost(cause: unknown): BuildkitError {
  const message = `the connection to buildkitd was ${howLost(cause)}`;
  return new BuildkitError(
    "BUILDKIT_CONNECTION_LOST",
    create(StatusSchema, { code: grpcCodes.unavailable, message }),
    { cause },
  );
}

function howLost(cause: unknown): string {
  if (isSlipwayError(cause, "HTTP2_CLOSED")) return "closed";
  if (!isSlipwayError(cause, "HTTP2_LOST")) return `lost: ${messageOf(cause)}`;
  return cause.cause === undefined ? "closed by the other side" : `lost: ${messageOf(cause.cause)}`;
}

/** buildkitd broke the protocol. */
export function protocolError(message: string): BuildkitError {
  return new BuildkitError("BUILDKIT_PROTOCOL", create(StatusSchema, { code: grpcCodes.internal, message }));
}

/** buildkitd sent more than is taken. The message names what. */
export function limitExceeded(message: string): BuildkitError {
  return new BuildkitError(
    "BUILDKIT_LIMIT",
    create(StatusSchema, { code: grpcCodes.resourceExhausted, message }),
  );
}

/** A gRPC status code as Go writes it in texts, e.g. `NotFound`, `Canceled`. */
export function grpcCodeName(code: number): string {
  return code === 0 ? "OK" : (Code[code] ?? `Code(${code})`);
}

function decodeStatus(header: string): Status | undefined {
  try {
    return fromBinary(StatusSchema, decodeBinaryHeader(header));
  } catch {
    return undefined;
  }
}

// grpc-message is percent-encoded (PROTOCOL-HTTP2.md, "Status-Message"); what does not decode is shown as it is.
function unescape(message: string | undefined): string {
  if (message === undefined) return "";
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
