import { statfs } from "node:fs/promises";
import { openEngine } from "../../driver/index.js";
import type { DockerEndpoint, Environment } from "../../config/index.js";
import { messageOf, throwIfAborted, withDeadline } from "../../core/index.js";
import { type Finding, note, ok, problem } from "./finding.js";

/** Clocks this far apart make tokens and certificates fail, ms. */
const mostSkew = 60_000;
/** Below this there is hardly room for a base image, bytes. */
const leastFree = 2 * 2 ** 30;

/** The engine, its clock, and the disk that it writes to. @throws AbortedError */
export async function checkEngine(
  endpoint: DockerEndpoint,
  {
    env,
    isNeeded,
    timeout,
    signal,
  }: { env: Environment; isNeeded: boolean; timeout: number; signal: AbortSignal },
): Promise<Finding[]> {
  const where =
    endpoint.contextName === "default" ? endpoint.host : `${endpoint.host} (context ${endpoint.contextName})`;
  await using engine = openEngine(endpoint, env);
  try {
    const before = Date.now();
    const [info, version] = await withDeadline(signal, timeout, "asking the engine", (within) =>
      Promise.all([engine.info({ signal: within }), engine.version({ signal: within })]),
    );
    const now = (before + Date.now()) / 2;
    const name = version.Platform?.Name || info.OperatingSystem;
    const found = [ok("engine", `${name} ${info.ServerVersion}, API ${version.ApiVersion}, at ${where}`)];
    const skew = new Date(info.SystemTime || "").getTime() - now;
    if (!Number.isNaN(skew)) found.push(clock(skew));
    if (engine.isLocalSocket) found.push(...(await disk(info.DockerRootDir)));
    return found;
  } catch (error) {
    throwIfAborted(signal);
    const hint =
      "start it, or name another in DOCKER_HOST or with a docker context; whoever may use its socket is mostly in the group docker";
    const text = messageOf(error);
    return [
      isNeeded
        ? problem("engine", text, hint)
        : note("engine", text, "the current builder needs none; --load does"),
    ];
  }
}

function clock(skew: number): Finding {
  const seconds = Math.round(Math.abs(skew) / 1000);
  if (Math.abs(skew) <= mostSkew)
    return ok("clock", `the engine's is within ${Math.max(seconds, 1)} s of this machine's`);
  return problem(
    "clock",
    `the engine's is ${seconds} s ${skew < 0 ? "behind" : "ahead of"} this machine's: tokens and certificates fail by that`,
    "set both by a time server",
  );
}

/** Nothing when the engine's files are not this machine's to see. */
async function disk(path: string): Promise<Finding[]> {
  const found = await statfs(path).catch(() => undefined);
  if (!found) return [];
  const free = found.bavail * found.bsize;
  const size = found.blocks * found.bsize;
  const text = `${(free / 2 ** 30).toFixed(1)} GiB of ${(size / 2 ** 30).toFixed(1)} GiB are free where the engine keeps its data (${path})`;
  return [
    free < leastFree
      ? problem("disk", text, "make room: slipway prune, or docker system prune on the engine")
      : ok("disk", text),
  ];
}
