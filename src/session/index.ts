export type { Attachable } from "./attachable.js";
export { type ServiceHandlers, service } from "./service.js";
export { SessionError, type SessionErrorOptions } from "./session-error.js";
