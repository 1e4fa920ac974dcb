import type { Environment } from "../config/index.js";
import { StoreError } from "./store-error.js";
import type { BuilderContext } from "./builder-context.js";
import { checkBuilderName } from "./builder-name.js";
import type { Node, NodeGroup } from "./node-group.js";
import { formatPlatformFully } from "./platform.js";
import { type CreateBuilderOptions, createBuilder, keptOptions, nodeSettings } from "./create-builder.js";
import type { SlipwayOptions } from "./slipway-options.js";
import { parseDriverOptions } from "../driver/index.js";
import { removeBuilder } from "./remove-builder.js";

/** A builder as it is to be. */
export interface EnsureBuilderOptions extends Pick<
  CreateBuilderOptions,
  | "driverOpts"
  | "buildkitdFlags"
  | "buildkitdConfig"
  | "maxCacheSize"
  | "endpoint"
  | "platforms"
  | "connect"
  | "signal"
> {
  name: string;
  /**
   * What to do when a builder of that name differs in its driver options, or in what else is given here: `error` (default),
   * `use` it as it is, or `recreate` it, with its cache kept.
   */
  onMismatch?: "error" | "use" | "recreate";
  /** Default `process.env`. */
  env?: Environment;
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
  const { name, onMismatch = "error", signal } = options;
  checkBuilderName(name);
  const group = await context.store.get(name);
  let wanted = options;
  if (group) {
    // All of the description is looked at before anything is removed by it.
    parseDriverOptions(options.driverOpts ?? {});
    const kept = await keptOptions(context, name);
    const differs = await differencesOf(context, group, kept, options);
    if (differs.length === 0 || onMismatch === "use") return group;
    if (onMismatch === "error")
      throw new StoreError(
        "STORE_REFUSED",
        `builder ${JSON.stringify(name)} exists with other ${differs.join(", ")}; use onMismatch "use" or "recreate", or another name`,
      );
    wanted = { ...options, connect: options.connect ?? kept.connect };
    await removeBuilder(context, name, { keepState: true, signal });
  }
  try {
    return (await createBuilder(context, wanted)).group;
  } catch (error) {
    // Another process made it in between: then it is there.
    const made = await context.store.get(name).catch(() => undefined);
    if (!made || group) throw error;
    return ensureBuilder(context, options);
  }
}

/** In what a builder is not as described. Driver options always count, the rest where it was given. */
async function differencesOf(
  context: BuilderContext,
  group: NodeGroup,
  kept: SlipwayOptions,
  options: EnsureBuilderOptions,
): Promise<string[]> {
  const driverOpts = options.driverOpts ?? {};
  const wanted = await nodeSettings(context, options, driverOpts);
  const flagsCount = options.buildkitdFlags !== undefined;
  const configCounts = options.buildkitdConfig !== undefined || options.maxCacheSize !== undefined;
  const { connect } = options;
  const checks: [what: string, isSame: (node: Node) => boolean][] = [
    ["driver options", (node) => sameRecord(node.driverOpts, driverOpts)],
    ["flags of buildkitd", ({ flags }) => !flagsCount || sameTexts(flags, wanted.flags)],
    ["config", ({ files }) => !configCounts || sameFiles(files, wanted.files ?? new Map())],
    ["endpoint", ({ endpoint }) => !wanted.endpointGiven || endpoint === wanted.endpoint],
    [
      "platforms",
      ({ platforms }) =>
        options.platforms === undefined ||
        sameTexts(platforms.map(formatPlatformFully), wanted.platforms.map(formatPlatformFully)),
    ],
  ];
  const differing = checks.filter(([, isSame]) => !group.nodes.every(isSame)).map(([what]) => what);
  return connect === undefined || connect === (kept.connect ?? "auto")
    ? differing
    : [...differing, "connect"];
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
