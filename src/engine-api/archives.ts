import type { Readable } from "node:stream";
import { parseJson } from "../core/index.js";
import { EngineError } from "./errors.js";
import type { Headers } from "./exchange.js";
import { containerSegment } from "./names.js";
import type { CallOptions, Transport } from "./transport.js";

/** What is at a path in a container (moby api/types/container PathStat). */
export interface PathStat {
  /** Last part of the path. */
  name: string;
  /** Bytes. */
  size: number;
  /** As Go has it (`fs.FileMode`): bit 31 is a directory, bit 27 a symbolic link. */
  mode: number;
  /** RFC 3339. */
  mtime: string;
  /** Where a symbolic link leads. */
  linkTarget: string;
}

/** The call's path for archives of a container. */
export function archivePath(id: string): string {
  return `/containers/${containerSegment(id)}/archive`;
}

/** A file or directory of a container as a tar. @throws EngineError `ENGINE_NOT_FOUND`. */
export async function getArchive(
  transport: Transport,
  id: string,
  path: string,
  options: CallOptions,
): Promise<{ stat: PathStat; body: Readable }> {
  const call = {
    milliseconds: 60_000,
    ...options,
    method: "GET" as const,
    path: archivePath(id),
    query: { path },
  };
  const { body, headers, request } = await transport.open(call);
  try {
    return { stat: pathStatOf(headers, request), body };
  } catch (error) {
    body.on("error", () => {}).destroy();
    throw error;
  }
}

/** What the engine says of a path, in a header. @throws EngineError `ENGINE_PROTOCOL` */
export function pathStatOf(headers: Headers, request: { method: string; path: string }): PathStat {
  const header = headers["x-docker-container-path-stat"];
  try {
    const text = Buffer.from(typeof header === "string" ? header : "", "base64").toString("utf8");
    const stat = parseJson(text) as Partial<PathStat> | null;
    const { name, size, mode, mtime = "", linkTarget = "" } = stat ?? {};
    const isSound = [name, mtime, linkTarget].every((value) => typeof value === "string");
    if (isSound && name !== undefined && typeof size === "number" && typeof mode === "number")
      return { name, size, mode, mtime, linkTarget };
  } catch (cause) {
    throw unsound(request, cause);
  }
  throw unsound(request);
}

function unsound(request: { method: string; path: string }, cause?: unknown): EngineError {
  return new EngineError("ENGINE_PROTOCOL", "the engine does not say what is at the path", {
    ...request,
    cause,
  });
}
