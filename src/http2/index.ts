export { ClientStream, type HeaderFields } from "./client-stream.js";
export { type ConnectOptions, Http2Client, type RequestOptions, type SessionManager } from "./client.js";
export { frameHead, frameMessage, varintLength, writeVarint } from "./framing.js";
export { GrpcError, type GrpcErrorOptions, type GrpcStatus, grpcCodes, statusOf } from "./grpc-error.js";
export { Http2Error } from "./http2-error.js";
export type { KeepAliveOptions } from "./keep-alive.js";
export {
  BytesFieldDecoder,
  type BytesFieldOptions,
  type DecoderOptions,
  MessageDecoder,
} from "./message-decoder.js";
export { type Http2Server, type ServeOptions, serveHttp2 } from "./server.js";
export type { MessageOptions, ServerCall } from "./server-call.js";
export { type Windows, localWindows, remoteWindows } from "./windows.js";
export { keepAliveKind, windowsKind } from "./option-kinds.js";
export type { RequestHeaders } from "./request-headers.js";
export { errorCodes, errorName } from "./wire/index.js";
