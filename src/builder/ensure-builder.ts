import type { Environment } from "../config/index.js";
import {
  type ConnectMode,
  type DockerContainerOpts,
  defaultDriver,
  driverKind,
  parseDriverOptions,
} from "../driver/index.js";
import type { BuilderContext } from "./builder-context.js";
import { checkBuilderName } from "./builder-name.js";
import { createBuilder, keptOptions } from "./create-builder.js";
import type { CreateBuilderOptions } from "./create-options.js";
import { nodeSettings } from "./node-settings.js";
import type { Node, NodeGroup } from "./node-group.js";
import { formatPlatformFully } from "./platform.js";
import { removeDaemons } from "./remove-builder.js";
import { StoreError } from "./store-error.js";

/** A builder as it is to be. */
export interface EnsureBuilderOptions extends Pick<
  CreateBuilderOptions,
  | "buildkitdFlags"
  | "buildkitdConfig"
  | "maxCacheSize"
  | "trustCa"
  | "endpoint"
  | "platforms"
  | "connect"
  | "signal"
> {
  name: string;
  driverOpts?: Readonly<DockerContainerOpts> | undefined;
  /**
   * What to do when a builder of that name differs in its driver options, or in what else is given here: `error` (default),
   * `use` it as it is, or `recreate` it, with its cache kept, and with what is not given here as it was.
   */
  onMismatch?: "error" | "use" | "recreate";
  /** Default `process.env`. */
  env?: Environment;
}

/** What of a builder is described: all of it is compared, and all of it is put in the place of what differs. */
interface Description {
  /** Always described: a builder that needs none is described by none. */
  driverOpts: Node["driverOpts"];
  flags?: Node["flags"];
  files?: Node["files"];
  endpoint?: Node["endpoint"];
  platforms?: Node["platforms"];
  connect?: ConnectMode;
}

/**
 * Finds the builder of a name, or makes it. Nothing is booted; the first build does that.
 *
 * @throws StoreError `STORE_REFUSED` when there is one that differs and `onMismatch` is `error`.
 */
export async function ensureBuilder(
  context: BuilderContext,
  options: EnsureBuilderOptions,
): Promise<NodeGroup> {
  const { name, onMismatch = "error" } = options;
  checkBuilderName(name);
  const group = await context.store.get(name);
  if (!group) {
    try {
      return (await createBuilder(context, options)).group;
    } catch (error) {
      // Another process made it in between: then it is there.
      const made = await context.store.get(name).catch(() => undefined);
      if (!made) throw error;
      return ensureBuilder(context, options);
    }
  }
  // All of the description is looked at before anything is done by it.
  const wanted = await describe(context, options);
  const { connect = "auto" } = await keptOptions(context, group.name);
  const differing = differences(group, connect, wanted);
  if (differing.length === 0 || onMismatch === "use") return group;
  if (onMismatch === "error")
    throw new StoreError(
      "STORE_REFUSED",
      `builder ${JSON.stringify(name)} exists with other ${differing.join(", ")}; use onMismatch "use" or "recreate", or another name`,
    );
  return recreate(context, group, wanted, options.signal);
}

/** @throws InvalidArgumentError, DriverError or ConfigError for what cannot be. */
async function describe(context: BuilderContext, options: EnsureBuilderOptions): Promise<Description> {
  const { driverOpts = {}, connect } = options;
  parseDriverOptions(driverOpts);
  const { flags, files, endpoint, platforms, ...settings } = await nodeSettings(context, options, {
    kind: driverKind(defaultDriver),
    driverOpts,
  });
  return {
    driverOpts: settings.driverOpts ?? driverOpts,
    ...(options.buildkitdFlags !== undefined && { flags }),
    ...([options.buildkitdConfig, options.maxCacheSize, options.trustCa].some(
      (given) => given !== undefined,
    ) && {
      files: files ?? new Map(),
    }),
    ...(options.endpoint !== undefined && { endpoint }),
    ...(options.platforms !== undefined && { platforms }),
    ...(connect !== undefined && { connect }),
  };
}

/** In what a builder is not as described, in the words of messages. */
function differences(group: NodeGroup, connect: ConnectMode, wanted: Description): string[] {
  const { flags, files, endpoint, platforms } = wanted;
  const checks: [what: string, isSame: (node: Node) => boolean][] = [
    ["driver options", (node) => sameRecord(node.driverOpts, wanted.driverOpts)],
    ["flags of buildkitd", (node) => !flags || sameTexts(node.flags, flags)],
    ["config", (node) => !files || sameFiles(node.files, files)],
    ["endpoint", (node) => endpoint === undefined || node.endpoint === endpoint],
    [
      "platforms",
      (node) =>
        !platforms || sameTexts(node.platforms.map(formatPlatformFully), platforms.map(formatPlatformFully)),
    ],
    ["connect", () => (wanted.connect ?? connect) === connect],
  ];
  return checks.filter(([, isSame]) => !group.nodes.every(isSame)).map(([what]) => what);
}

/** Takes the builder's daemons away, and stores it as it is to be. A builder whose daemons cannot be removed stays as it is. */
async function recreate(
  context: BuilderContext,
  { name, nodes }: NodeGroup,
  { connect, ...changes }: Description,
  signal: AbortSignal | undefined,
): Promise<NodeGroup> {
  await removeDaemons(context, name, { keepState: true, signal });
  // What only one node can have makes it a builder of one node.
  const isOfOne = changes.endpoint !== undefined || changes.platforms !== undefined;
  return context.store.transaction(
    async (transaction) => {
      const group = await transaction.store.get(name);
      if (!group)
        throw new StoreError("STORE_NO_BUILDER", `builder ${JSON.stringify(name)} was removed meanwhile`);
      const kept = group.nodes.slice(0, isOfOne ? 1 : nodes.length);
      const made = { ...group, nodes: kept.map((node) => ({ ...node, ...changes })) };
      if (connect !== undefined)
        await transaction.saveSlipwayOptions(name, { ...(await keptOptions(context, name)), connect });
      await transaction.save(made);
      return made;
    },
    signal ? { signal } : {},
  );
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

function sameFiles(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
  return (
    a.size === b.size && [...a].every(([name, content]) => Buffer.from(content).equals(b.get(name) ?? empty))
  );
}

const empty = new Uint8Array();

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
