import type { ContainerContext } from "./container-context.js";
import { containerName } from "./container-spec.js";

/** Lines of a log that explain an error, at most. */
const mostLines = 20;

/** So many of the last lines are asked for; most of them may be a stack's. */
const askedLines = 200;

/** From when on a log is of interest. */
export type LogStart =
  /** As the engine tells times, e.g. when the container was started. */
  | { engineTime: string }
  /** In ms since 1970, by this machine's clock. */
  | { localTime: number };

/**
 * The last lines that the node's daemon logged since then, without stacks of Go; empty when there are none to be had. What it
 * said before is about others' builds.
 */
export async function logTail(
  node: ContainerContext,
  start: LogStart,
  signal: AbortSignal | undefined,
): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    const since = await engineSeconds(node, start, signal);
    const logs = node.engine.containers.logs(containerName(node.nodeName), {
      tail: askedLines,
      ...(since > 0 && { since }),
      signal,
    });
    for await (const { data } of logs) chunks.push(data);
  } catch {
    // The logs only explain another error; without them it stands by itself.
  }
  return withoutStacks(Buffer.concat(chunks).toString("utf8").trimEnd().split("\n"))
    .slice(-mostLines)
    .join("\n");
}

/** A sentence with the log lines that explain it, if there are any. */
export function withLogs(text: string, logs: string): string {
  return logs === "" ? text : `${text}; the daemon's last log lines:\n${logs.replace(/^/gm, "  ")}`;
}

/** In seconds since 1970, by the engine's clock. */
async function engineSeconds(
  { engine }: ContainerContext,
  start: LogStart,
  signal: AbortSignal | undefined,
): Promise<number> {
  if ("engineTime" in start) return Math.floor(Date.parse(start.engineTime)) / 1000;
  const { SystemTime } = await engine.info({ signal });
  const ahead = Date.parse(SystemTime ?? "") - Date.now();
  return (start.localTime + (Number.isFinite(ahead) ? ahead : 0)) / 1000;
}

/** Go prints a frame as the function's name and, behind a tab, its place. */
function withoutStacks(lines: readonly string[]): string[] {
  const isPlace = (line: string | undefined) => line !== undefined && /^\t\S+\.(?:go|s):\d+/.test(line);
  return lines.filter((line, at) => !isPlace(line) && !isPlace(lines[at + 1]));
}
