import { EngineError } from "./errors.js";
import { StdcopyParser } from "./stdcopy.js";
import type { Opened } from "./transport.js";

/** A piece of a container's output: `stream` is 1 (stdout) or 2 (stderr); not aligned to lines. */
export interface LogChunk {
  stream: 1 | 2;
  data: Buffer;
}

/** Reads a log to its end. With `tty` it is not framed, and all of it counts as stdout. */
export async function* readLogs(
  open: () => Promise<Opened>,
  tty: boolean,
): AsyncGenerator<LogChunk, void, undefined> {
  const { body } = await open();
  let ready: LogChunk[] = [];
  const parser = new StdcopyParser((stream, data) => ready.push({ stream, data }));
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (tty) {
      yield { stream: 1, data: chunk };
      continue;
    }
    parser.feed(chunk);
    const pieces = ready;
    ready = [];
    yield* pieces;
  }
  const error = parser.endError();
  if (error) throw error;
  if (!tty && !parser.atBoundary) {
    throw new EngineError("ENGINE_PROTOCOL", "the log ended inside a frame");
  }
}
