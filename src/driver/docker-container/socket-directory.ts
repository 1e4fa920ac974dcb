import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { hostname, release } from "node:os";
import { join } from "node:path";
import type { SystemInfo } from "../../engine-api/index.js";
import { makeDirectory, sharedReason } from "../../fs/index.js";

/** What decides whether a builder's socket may be reached through a mounted host directory. */
export interface SocketDirectoryQuery {
  /** slipway's own directory below the config directory; must outlive the login session. */
  parent: string;
  containerName: string;
  /** The engine is reached over a unix socket of this machine. */
  localEngine: boolean;
  info: Pick<SystemInfo, "KernelVersion" | "Name" | "OperatingSystem">;
  /** buildkitd flags of the user: their own address or group wins. */
  flags: readonly string[];
}

/**
 * Makes a private host directory (0700) to mount at `/run/buildkit`, or returns undefined where the engine cannot
 * share it. Root needs none: it reaches the socket through `/proc`. The name is random, so that a directory of the same
 * path on an engine's host that only looks like ours (a client inside a container) is never met: the engine then
 * refuses the mount and nothing is left behind there.
 */
export async function makeSocketDirectory(query: SocketDirectoryQuery): Promise<string | undefined> {
  if (!query.localEngine || process.platform !== "linux" || process.getuid?.() === 0) return undefined;
  // An engine in a VM runs another kernel, and one beside a containerised client another host name.
  if (query.info.KernelVersion !== release() || query.info.Name !== hostname()) return undefined;
  if (query.flags.some((flag) => /^--(group|addr)(=|$)/.test(flag))) return undefined;
  const directory = join(query.parent, `${query.containerName}-${randomBytes(6).toString("hex")}`);
  await makeDirectory(directory, 0o700);
  // Whoever can exchange it can put a socket of their own in its place (SEC-70).
  if (sharedReason(query.parent) !== undefined || sharedReason(directory) !== undefined) {
    await removeSocketDirectory(directory);
    return undefined;
  }
  return directory;
}

/** Removes a directory of {@link makeSocketDirectory} with the sockets in it; it is not used by anything else. */
export async function removeSocketDirectory(directory: string): Promise<void> {
  // Gone already, or made unreadable by somebody: nothing depends on it any more.
  await rm(directory, { recursive: true, force: true }).catch(() => {});
}
