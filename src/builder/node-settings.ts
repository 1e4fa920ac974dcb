import { stat } from "node:fs/promises";
import { join } from "node:path";
import {
  buildkitdEntitlements,
  loadBuildkitdConfig,
  parseSize,
  splitShellWords,
  withCacheLimit,
  withNetworkHostEntitlement,
} from "../config/index.js";
import { InvalidArgumentError, messageOf } from "../core/index.js";
import type { DriverKind } from "../driver/index.js";
import type { BuilderContext } from "./builder-context.js";
import type { CreateBuilderOptions } from "./create-options.js";
import { nodeEndpoint } from "./node-endpoint.js";
import { parsePlatforms } from "./platform.js";
import { nodeTrust } from "./trusted-builder.js";

/** What a node is to be like by the options, with all that follows from them. */
export async function nodeSettings(
  context: BuilderContext,
  options: CreateBuilderOptions,
  { kind, driverOpts }: { kind: DriverKind; driverOpts: Readonly<Record<string, string>> },
) {
  const config = await daemonConfig(context, options, kind);
  const { trustCa, signal } = options;
  const trust = trustCa === undefined ? undefined : await nodeTrust(trustCa, { kind, driverOpts, signal });
  const files = new Map(config.files);
  for (const [name, content] of trust?.files ?? []) files.set(name, Buffer.from(content));
  const flags = daemonFlags(options, kind, { network: driverOpts["network"], granted: config.entitlements });
  return {
    ...(options.node && { node: options.node }),
    ...(await nodeEndpoint(context, options, kind)),
    platforms: parsePlatforms(options.platforms ?? []),
    flags,
    ...((options.driverOpts ?? trust) && { driverOpts: trust?.driverOpts ?? driverOpts }),
    ...(files.size > 0 && { files }),
  };
}

/** The files of the daemon's configuration by their names, none where nothing was asked; and the entitlements it grants. */
async function daemonConfig(
  { store }: BuilderContext,
  { buildkitdConfig, maxCacheSize, signal }: CreateBuilderOptions,
  { ownsDaemon }: DriverKind,
): Promise<{ files: Map<string, Buffer>; entitlements: readonly string[] }> {
  // The default is for daemons that the driver makes; buildx refuses to make a remote builder where there is one.
  const path = buildkitdConfig ?? (ownsDaemon ? await defaultConfigPath(store.dir.path) : undefined);
  const name = "buildkitd.toml";
  const files = path === undefined ? new Map<string, Buffer>() : await loadBuildkitdConfig(path, { signal });
  const given = files.get(name);
  const entitlements = path !== undefined && given ? await buildkitdEntitlements(path, given) : [];
  if (maxCacheSize !== undefined) {
    const bytes = typeof maxCacheSize === "number" ? maxCacheSize : parseSize(maxCacheSize);
    files.set(name, await withCacheLimit(given, bytes));
  }
  return { files, entitlements };
}

async function defaultConfigPath(dir: string): Promise<string | undefined> {
  const path = join(dir, "buildkitd.default.toml");
  return stat(path).then(
    () => path,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
}

/** The daemon's flags as given, and those that follow from its network and from what its configuration grants. */
function daemonFlags(
  { buildkitdFlags = "" }: CreateBuilderOptions,
  { ownsDaemon }: DriverKind,
  { network, granted }: { network: string | undefined; granted: readonly string[] },
): string[] {
  const flags = splitFlags(buildkitdFlags);
  if (!ownsDaemon) return flags;
  return withNetworkHostEntitlement(flags, {
    ...(network !== undefined && { network }),
    configEntitlements: granted,
  });
}

function splitFlags(text: string): string[] {
  try {
    return splitShellWords(text);
  } catch (error) {
    throw new InvalidArgumentError(`failed to parse buildkit flags: ${messageOf(error)}`, { cause: error });
  }
}
