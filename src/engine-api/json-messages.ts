import type { Readable } from "node:stream";
import { EngineError } from "./errors.js";
import { parseLine, readLines } from "./json-lines.js";

/** One element of the stream that pull and load answer with (moby api/types/jsonstream Message). */
export interface JsonMessage {
  /** What is being done, e.g. `Downloading`. */
  status?: string;
  /** What it is done to, e.g. a layer's short id. */
  id?: string;
  /** Bytes done and to do, while under way. */
  progressDetail?: { current?: number; total?: number };
  /** Text meant for the terminal. */
  stream?: string;
  error?: string;
  errorDetail?: { code?: number; message?: string };
  aux?: unknown;
}

/**
 * The messages of a pull's or load's answer, to its end. Engines answer 200 and tell of the failure in the stream
 * (moby #40220), sometimes as plain text, which becomes a `stream` message.
 *
 * @throws EngineError `ENGINE_STREAM` at an element that is an error.
 */
export async function* readMessages(
  source: Readable,
  request: { method: string; path: string },
): AsyncGenerator<JsonMessage, void, undefined> {
  for await (const line of readLines(source)) {
    const message: JsonMessage = line.startsWith("{") ? parseLine(line) : { stream: `${line}\n` };
    if (message.error || message.errorDetail) {
      const text = message.errorDetail?.message || message.error || "unknown error";
      throw new EngineError("ENGINE_STREAM", text, { engineMessage: text, ...request });
    }
    yield message;
  }
}
