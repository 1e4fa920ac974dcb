export type { Attachable } from "./attachable.js";
export { healthMethods } from "./health.js";
export { type SecretSource, maxSecretBytes, secrets } from "./secrets.js";
export { type ServiceHandlers, service } from "./service.js";
export { Session, type SessionOptions } from "./session.js";
export { SessionError, type SessionErrorOptions } from "./session-error.js";
export { upload } from "./upload.js";
