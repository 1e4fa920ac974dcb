import type { MessageInitShape } from "@bufbuild/protobuf";
import { type BuildkitError, type gateway, pb } from "../../buildkit/index.js";
import { isJsonObject } from "../../config/index.js";
import { isSlipwayError, parseJson, trimTrailing, randomId } from "../../core/index.js";
import type { Gateway } from "../gateway-drive.js";
import type { FileSystem } from "./file-system.js";
import type { Roots } from "./live-files.js";
import { platformOf } from "./mounts.js";
import type { ExecPlace } from "./process.js";
import { refsOf } from "./result-refs.js";

type Mount = MessageInitShape<typeof pb.MountSchema>;

/** The file systems of a result: one, or one a platform. */
export function resultRoots(result: gateway.Result | undefined, bridge: Gateway): Roots {
  // Go's maps have no order.
  const refs = [...refsOf(result)].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    refs.map(([platform, id]) => {
      const files: FileSystem = { calls: bridge, id, locate: (path) => ({ path, mountIndex: 0 }) };
      const config = imageConfig(result, platform);
      const place: ExecPlace = {
        bridge,
        mounts: [{ dest: "/", resultID: id }],
        network: pb.NetMode.UNSET,
        security: pb.SecurityMode.SANDBOX,
        env: texts(config["Env"]),
        cwd: text(config["WorkingDir"]),
        user: text(config["User"]),
        command: [...texts(config["Entrypoint"]), ...texts(config["Cmd"])],
        ...placePlatform(platform),
      };
      return [platform, { files, place }];
    }),
  );
}

/** What the image says of how it is run (OCI image configuration, `config`). */
function imageConfig(result: gateway.Result | undefined, platform: string): Record<string, unknown> {
  const key = platform === "" ? "containerimage.config" : `containerimage.config/${platform}`;
  const bytes = result?.metadata[key];
  if (!bytes) return {};
  let document: unknown;
  try {
    document = parseJson(Buffer.from(bytes).toString("utf8"));
  } catch {
    return {}; // a frontend of somebody's own
  }
  const config = isJsonObject(document) ? document["config"] : undefined;
  return isJsonObject(config) ? config : {};
}

/**
 * The file system of the step that an error is about, as it was when the step ended; undefined for an error that is about none,
 * or from a daemon that keeps none. Its mounts are named in the error's details (BK solver/errdefs Solve).
 */
export function failedRoots(
  error: unknown,
  bridge: Gateway,
  signal: AbortSignal,
): Promise<Roots> | undefined {
  if (!isSlipwayError(error, "BUILDKIT_STATUS")) return undefined;
  const detail = (error as BuildkitError).details.find((one) => one.type === "solve");
  if (!detail?.exec) return undefined;
  const { mounts: given, meta, network, security } = detail.exec;
  const mounts = given.map((mount, index): Mount => ({ ...mount, resultID: detail.mountIds[index] ?? "" }));
  const { env = [], cwd = "", user = "" } = meta ?? {};
  const place: ExecPlace = { bridge, mounts, network, security, env, cwd, user, command: [] };
  return containerFiles(place, signal).then((files) => new Map([["", { files, place }]]));
}

/** Reads through a container in which nothing runs, for only there all mounts of a step are. */
async function containerFiles(
  { bridge, mounts, network }: ExecPlace,
  signal: AbortSignal,
): Promise<FileSystem> {
  const id = randomId();
  await bridge.newContainer({ ContainerID: id, Mounts: mounts, Network: network }, { signal });
  const calls = {
    readFile: bridge.readFileContainer,
    readDir: bridge.readDirContainer,
    statFile: bridge.statFileContainer,
  };
  return { calls, id, locate: (path) => locate(path, mounts) };
}

/** The mount that a path is in: the one with the longest destination. */
function locate(path: string, mounts: readonly Mount[]): { path: string; mountIndex: number } {
  const absolute = path.startsWith("/") ? path : `/${path}`;
  let best = { path: absolute, mountIndex: 0, length: 0 };
  for (const [mountIndex, { dest = "/", selector = "" }] of mounts.entries()) {
    const base = trimTrailing(dest, "/");
    if (base.length < best.length || !(absolute === base || absolute.startsWith(`${base}/`))) continue;
    const below = absolute.slice(base.length) || "/";
    best = {
      path: selector === "" || selector === "/" ? below : `${selector}${below}`,
      mountIndex,
      length: base.length,
    };
  }
  return { path: best.path, mountIndex: best.mountIndex };
}

/** A frontend may call its results what it likes. */
function placePlatform(name: string): Pick<ExecPlace, "platform"> {
  if (name === "") return {};
  try {
    return { platform: platformOf(name) };
  } catch {
    return {};
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
