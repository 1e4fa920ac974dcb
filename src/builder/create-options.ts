import type { ConnectMode, DriverOpts } from "../driver/index.js";

/** What to create, in the command's words. */
export interface CreateBuilderOptions {
  /** A random one when not given. */
  name?: string | undefined;
  /** `docker-container` (default), `remote` or `kubernetes`. */
  driver?: string | undefined;
  /** Name of the node to add or change. */
  node?: string | undefined;
  /** A docker context or a host; default the current one. With the driver `remote` the daemon's address. */
  endpoint?: string | undefined;
  /** `BUILDKIT_HOST`: where it is set, a new builder without driver and endpoint is one of the driver `remote`, of that address. */
  buildkitHost?: string | undefined;
  /** Platforms to prefer the node for. */
  platforms?: readonly string[] | undefined;
  /** Which there are follows from the driver: see `docs/builders.md`. */
  driverOpts?: Readonly<DriverOpts> | undefined;
  /** Flags of buildkitd, as one text in a shell's words. */
  buildkitdFlags?: string | undefined;
  /** Path of a buildkitd.toml; default `buildkitd.default.toml` of the config directory, if there is one. */
  buildkitdConfig?: string | undefined;
  /**
   * Most that the cache of a node may take, in bytes or as `20gb`: goes into the config as the garbage collection's limit. BuildKit
   * collects some seconds after it starts, and at most a minute after a build. Needs BuildKit 0.17 or later.
   */
  maxCacheSize?: number | string | undefined;
  /**
   * A PEM file of authorities that the daemon trusts besides the public ones: for registries, mirrors and http contexts. Build
   * steps have `trustCa` of the build.
   */
  trustCa?: string | undefined;
  /** Add a node to the builder. */
  append?: boolean | undefined;
  /** Make it the current builder. */
  use?: boolean | undefined;
  connect?: ConnectMode | undefined;
  /** Ask the node's engine, for so many ms at most, and create nothing when it cannot be reached. Default: it is not asked. */
  checkMilliseconds?: number | undefined;
  signal?: AbortSignal | undefined;
}
