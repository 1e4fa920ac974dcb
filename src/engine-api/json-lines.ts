import type { Readable } from "node:stream";
import { parseJson } from "../core/index.js";
import { EngineError } from "./errors.js";

/** Longest line of a JSON stream that is accepted, in bytes (SEC-56). */
export const maxLineBytes = 1024 * 1024;

const newline = 0x0a;

/**
 * The lines of a stream, without their line ends and without empty ones. Leaving the loop early destroys the stream.
 *
 * @throws EngineError `ENGINE_TOO_LARGE` for a line longer than {@link maxLineBytes}.
 */
export async function* readLines(source: Readable): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      check(length + at - from);
      const line = join(parts, chunk.subarray(from, at));
      parts = [];
      length = 0;
      from = at + 1;
      if (line !== "") yield line;
    }
    if (from < chunk.length) {
      const rest = chunk.subarray(from);
      length += rest.length;
      check(length);
      parts.push(rest);
    }
  }
  const last = join(parts, Buffer.alloc(0));
  if (last !== "") yield last;
}

/**
 * The objects of a stream of JSON lines.
 *
 * @throws EngineError `ENGINE_PROTOCOL` for a line that is not a JSON object.
 */
export async function* readJsonLines(source: Readable): AsyncGenerator<object, void, undefined> {
  for await (const line of readLines(source)) yield parseLine(line);
}

/** One line as an object; @throws EngineError `ENGINE_PROTOCOL`. */
export function parseLine(line: string): object {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    throw new EngineError("ENGINE_PROTOCOL", `malformed line in the engine's stream: ${excerpt(line)}`, {
      cause: error,
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new EngineError("ENGINE_PROTOCOL", `malformed line in the engine's stream: ${excerpt(line)}`);
  }
  return value;
}

function join(parts: Buffer[], last: Buffer): string {
  const bytes = parts.length === 0 ? last : Buffer.concat([...parts, last]);
  return bytes.toString("utf8").trim();
}

function check(length: number): void {
  if (length > maxLineBytes) {
    throw new EngineError(
      "ENGINE_TOO_LARGE",
      `a line in the engine's stream is longer than ${maxLineBytes} bytes`,
    );
  }
}

function excerpt(line: string): string {
  return JSON.stringify(line.length > 200 ? `${line.slice(0, 200)}…` : line);
}
