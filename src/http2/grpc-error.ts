import { types } from "node:util";
import {
  type SlipwayErrorCode,
  SlipwayError,
  isSlipwayError,
  messageOf,
  type SlipwayErrorOptions,
} from "../core/index.js";

/** gRPC status codes by the names of the gRPC specification (statuscodes.md). */
export const grpcCodes = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** How a gRPC call ends. `details` is a serialised `google.rpc.Status`, sent as `grpc-status-details-bin`. */
export interface GrpcStatus {
  code: number;
  message?: string;
  details?: Uint8Array;
}

/** Options of {@link GrpcError}. */
export interface GrpcErrorOptions extends SlipwayErrorOptions {
  /** A serialised `google.rpc.Status`. */
  details?: Uint8Array;
}

/**
 * A call failed, or is to fail, with a gRPC status. `code` is `GRPC_STATUS` unless a subclass says else; `grpcCode`
 * is one of {@link grpcCodes}.
 */
export class GrpcError extends SlipwayError {
  readonly grpcCode: number;
  readonly details?: Uint8Array;

  constructor(
    grpcCode: number,
    message: string,
    options: GrpcErrorOptions = {},
    code: SlipwayErrorCode = "GRPC_STATUS",
  ) {
    super(code, message, options);
    this.grpcCode = grpcCode;
    if (options.details) this.details = options.details;
  }
}

/**
 * The status that stands for anything a handler threw: the `grpcCode` of a {@link GrpcError} or of another slipway
 * error that carries one, CANCELLED for an abort, UNKNOWN for the rest (as grpc-go does for a plain error).
 */
export function statusOf(error: unknown): GrpcStatus {
  const message = messageOf(error);
  if (isSlipwayError(error)) {
    const { grpcCode, details } = error as { grpcCode?: unknown; details?: unknown };
    if (typeof grpcCode === "number") {
      return { code: grpcCode, message, ...(types.isUint8Array(details) && { details }) };
    }
    if (error.code === "ABORTED") return { code: grpcCodes.cancelled, message };
  }
  return { code: grpcCodes.unknown, message };
}
