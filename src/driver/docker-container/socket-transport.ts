import { readFileSync } from "node:fs";
import { type FileHandle, constants as fsConstants, open } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { type Dial, connectSocket, messageOf, throwIfAborted } from "../../core/index.js";
import type { ContainerInspect } from "../../engine-api/index.js";
import { DriverError } from "../driver-error.js";
import { socketDirectory, socketMount, socketName } from "./container-spec.js";

/** Longest path that fits a unix socket address on Linux, less its terminating zero. */
const longestAddress = 107;

/** A local connection is made at once or not at all. */
const connectMilliseconds = 2_000;

/**
 * Finds a path by which this process reaches the control socket of a running builder container, without connecting.
 * First the mounted directory (a builder slipway made as another user than root), then the container's own root
 * through `/proc/<pid>/root`, for root on the engine's host, for any builder, also one that buildx made (design.md
 * decision 7). `State.Pid` counts in the engine's pid name space, so the pid is believed only if its control group
 * names the container.
 */
export function findSocket(container: ContainerInspect): string | undefined {
  if (process.platform !== "linux" || !container.State.Running) return undefined;
  const mounted = socketMount(container);
  if (mounted) return `${mounted}/${socketName}`;
  const pid = container.State.Pid;
  if (!pid) return undefined;
  try {
    // The kernel has it at once.
    const groups = readFileSync(`/proc/${pid}/cgroup`, "latin1");
    return groups.includes(container.Id) ? `/proc/${pid}/root${socketDirectory}/${socketName}` : undefined;
  } catch {
    return undefined; // not our pid name space, or not ours to see
  }
}

/** Dials a unix socket, also one whose path is longer than a socket address holds (through an open directory). */
export function dialSocket(path: string): Dial {
  return async (signal) => {
    let directory: FileHandle | undefined;
    try {
      let address = path;
      if (Buffer.byteLength(path) > longestAddress) {
        directory = await open(dirname(path), fsConstants.O_DIRECTORY | fsConstants.O_RDONLY);
        address = `/proc/self/fd/${directory.fd}/${socketName}`;
      }
      return await connectSocket(() => connect({ path: address, allowHalfOpen: true }), {
        milliseconds: connectMilliseconds,
        what: `connecting to ${path}`,
        signal,
      });
    } catch (error) {
      throwIfAborted(signal);
      throw new DriverError(
        "DRIVER_CONNECT",
        `cannot connect to the builder's socket ${path}: ${messageOf(error)}`,
        { cause: error },
      );
    } finally {
      await directory?.close();
    }
  };
}
