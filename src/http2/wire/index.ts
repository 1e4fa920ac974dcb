export { errorCodes, errorName } from "./codes.js";
export { Connection, type ConnectionOptions } from "./connection.js";
export type { HeaderList } from "./header-encoder.js";
export { maxHeaderBytes } from "./limits.js";
export type { StreamHandler, WireStream } from "./wire-stream.js";
