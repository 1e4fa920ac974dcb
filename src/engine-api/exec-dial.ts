import { type Dial, readOptions } from "../core/index.js";
import type { EngineClient } from "./client.js";
import { EngineError } from "./errors.js";
import type { ExecStream } from "./exec-stream.js";
import { execKinds } from "./option-kinds.js";

const lingerMilliseconds = 2_000;
const explainMilliseconds = 5_000;

/** Options of {@link execDial}. */
export interface ExecDialOptions {
  /**
   * What the process speaks. With `http2` (default) the first byte is known, so that text in its place is recognised as
   * an error message.
   */
  speaks?: "http2" | "anything";
  /** Gets what the process writes to stderr. What it throws, or rejects with, destroys the stream. */
  onStderr?: (data: Buffer) => unknown;
}

/**
 * Dials by running a process in a container, mostly `buildctl dial-stdio`: every connection is a process of its own.
 *
 * `end()` closes its stdin; when it does not end within 2 s after that, the connection is destroyed. A process
 * that fails before it speaks destroys the stream with `ENGINE_EXEC`, its exit code and what it said.
 */
export function execDial(
  engine: EngineClient,
  container: string,
  cmd: readonly string[],
  options: ExecDialOptions = {},
): Dial {
  const { speaks, onStderr } = readOptions("execDial()", options, execKinds.dial);
  return async (signal) => {
    const id = await engine.exec.create(container, { cmd, attachStdin: true, signal });
    let stream: ExecStream | undefined;
    const explain = async (output: string): Promise<Error | undefined> => {
      const stderr = stream?.stderrTail() ?? "";
      let exitCode: number | undefined;
      try {
        exitCode = await engine.exec.exitCode(id, { milliseconds: explainMilliseconds });
      } catch {
        // The engine or the container is gone, so there is only what the process said.
      }
      const said = [stderr, output]
        .map((text) => text.trim())
        .filter(Boolean)
        .join("\n");
      if (said === "" && (exitCode === undefined || exitCode === 0)) return undefined;
      const how = exitCode === undefined ? "failed" : `exited with code ${exitCode}`;
      return new EngineError(
        "ENGINE_EXEC",
        `${JSON.stringify(cmd.join(" "))} in container ${container} ${how}${said && `: ${said}`}`,
        { exitCode, stderr: said },
      );
    };
    // The first byte of HTTP/2 is the high byte of the length of a SETTINGS frame, far below 64 KiB (RFC 9113 4.1).
    const expects = (firstByte: number) => speaks === "anything" || firstByte === 0;
    stream = await engine.exec.start(id, {
      signal,
      onStderr,
      lingerMilliseconds,
      early: { expects, explain },
    });
    return stream;
  };
}
