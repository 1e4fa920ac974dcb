import type { Duplex } from "node:stream";
import { Http1Error } from "./http1-error.js";

/** A request as it is asked for. */
export interface OutgoingRequest {
  method: string;
  /** With version prefix and query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  /** What comes in pieces is sent as such, without a length. */
  body?: string | AsyncIterable<Uint8Array> | undefined;
  /** Ask for the raw connection by this protocol name. */
  upgrade?: string | undefined;
  /** Have a connection of its own, and send `Connection: close`. */
  close?: boolean | undefined;
}

/** A request as it is sent. */
export interface PreparedRequest {
  method: string;
  /** The head, and the body if that is whole. */
  bytes: Buffer;
  chunks: AsyncIterable<Uint8Array> | undefined;
  upgrades: boolean;
  /** Whether the connection can take another request behind it. */
  mayStay: boolean;
}

const forbiddenInPath = /[^!-\xff]/;
const forbiddenInName = /[^!#$%&'*+.^_`|~0-9A-Za-z-]/;
const forbiddenInValue = /[^\t -~\x80-\xff]/;
/** Requests that say how long their body is, even when there is none. */
const withBody = new Set(["POST", "PUT", "PATCH"]);
const lineEnd = Buffer.from("\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

/** @param host for the Host header. @throws Http1Error when it would be another request than the one that is meant. */
export function prepareRequest(request: OutgoingRequest, host: string): PreparedRequest {
  const { method, path, upgrade, close = false } = request;
  if (forbiddenInPath.test(path)) throw invalid("path");
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${host}`];
  if (upgrade !== undefined) lines.push("connection: upgrade", `upgrade: ${upgrade}`);
  else lines.push(`connection: ${close ? "close" : "keep-alive"}`);
  for (const [name, value] of Object.entries(request.headers)) {
    if (name === "" || forbiddenInName.test(name)) throw invalid("name of a header");
    if (forbiddenInValue.test(value)) throw invalid(`header ${name}`);
    lines.push(`${name}: ${value}`);
  }
  const { body } = request;
  // By the text: in another realm, as jsdom's, a Buffer is no instance of its Uint8Array.
  const whole = typeof body === "string" ? Buffer.from(body) : undefined;
  const chunks = typeof body === "string" ? undefined : body;
  if (chunks) lines.push("transfer-encoding: chunked");
  else if (whole || withBody.has(method)) lines.push(`content-length: ${whole?.length ?? 0}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return {
    method,
    bytes: whole ? Buffer.concat([head, whole]) : head,
    chunks,
    upgrades: upgrade !== undefined,
    mayStay: upgrade === undefined && !close,
  };
}

/** Sends a body in chunks (RFC 9112, 7.1), no faster than the socket takes them, as long as that is wanted. */
export async function sendChunks(
  socket: Duplex,
  chunks: AsyncIterable<Uint8Array>,
  isWanted: () => boolean,
): Promise<void> {
  for await (const chunk of chunks) {
    if (!isWanted()) return;
    // An empty one would be the last.
    if (chunk.length === 0) continue;
    socket.cork();
    socket.write(Buffer.from(`${chunk.length.toString(16)}\r\n`, "latin1"));
    socket.write(chunk);
    const hasRoom = socket.write(lineEnd);
    socket.uncork();
    if (!hasRoom) await drained(socket);
  }
  if (isWanted()) socket.write(lastChunk);
}

function drained(socket: Duplex): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
  });
}

function invalid(what: string): Http1Error {
  return new Http1Error("invalid", `invalid ${what}`);
}
