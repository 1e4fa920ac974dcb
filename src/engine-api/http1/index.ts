export type { AnswerControl, AnswerHandler } from "./connection.js";
export type { AnswerHeaders } from "./answer-head.js";
export { Http1Error } from "./http1-error.js";
export type { OutgoingRequest } from "./outgoing.js";
export { Pool } from "./pool.js";
