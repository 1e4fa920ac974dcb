export { frameHead, frameMessage, messagePrefix, varintLength, writeVarint } from "./framing.js";
export { GrpcError, type GrpcErrorOptions, type GrpcStatus, grpcCodes, statusOf } from "./grpc-error.js";
export type { MessageOptions, ServerCall } from "./server-call.js";
export { type Windows, localWindows, remoteWindows } from "./windows.js";
