import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TomlTable } from "smol-toml";
import { GenericContainer, getContainerRuntimeClient } from "testcontainers";
import { parseBuildkitdToml, parseSize } from "../config/index.js";
import { InvalidArgumentError, flag, listOf, readOptions, text } from "../core/index.js";
import { lockFile } from "../fs/index.js";
import { StartedBuildKitContainer } from "./started-buildkit-container.js";
import { WaitForBuildKit } from "./wait-for-buildkit.js";

/** What a buildkitd.toml says, as an object: `{ worker: { oci: { "max-parallelism": 2 } } }`. */
export type BuildKitConfig = Readonly<Record<string, unknown>>;

/** How BuildKit reaches a registry (the `registry` table of a buildkitd.toml). */
export interface RegistryOptions {
  /** Hosts that are asked first. */
  mirrors?: readonly string[];
  /** Speak plain HTTP. */
  http?: boolean;
  /** Do not check the certificate. */
  insecure?: boolean;
}

const registryKinds = { mirrors: listOf(text(), '"mirror:5000"'), http: flag, insecure: flag };

const defaultImage = "moby/buildkit:buildx-stable-1";
const configDirectory = "/etc/buildkit";
const socketDirectory = "/run/buildkit";
const defaultSocket = `unix://${socketDirectory}/buildkitd.sock`;
/** buildkitd's own default for tcp. */
const tcpPort = 1234;
/** How shared daemons are called, up to what tells those of different settings apart. */
export const sharedNamePrefix = "slipway-testcontainers-";
/** Says how a reused container was made: testcontainers' own hash knows nothing of mounts, limits and copied files. */
const descriptionLabel = "io.slipway.testcontainers";

/**
 * A BuildKit daemon for tests. {@link start} resolves when it answers; stopping it takes its cache with it.
 *
 * All of testcontainers' own settings can be used as well: networks, environment, start-up timeout, log consumers.
 */
export class BuildKitContainer extends GenericContainer {
  #config: string | BuildKitConfig | undefined;
  readonly #registries = new Map<string, RegistryOptions>();
  readonly #flags: string[] = [];
  #socketDirectory: string | undefined;

  /** @param image default `moby/buildkit:buildx-stable-1`, as docker's own container builders. */
  constructor(image: string = defaultImage) {
    super(image);
    this.withPrivilegedMode();
    // Build steps leave orphans behind; an init reaps them.
    this.hostConfig.Init = true;
    this.waitStrategy = new WaitForBuildKit();
  }

  /** The daemon's configuration: an object, or the text of a buildkitd.toml. Checked by {@link start}. */
  withConfig(config: string | BuildKitConfig): this {
    this.#config = config;
    return this;
  }

  /** How to reach a registry; on top of what the configuration says of it. */
  withRegistry(host: string, given: RegistryOptions): this {
    const options = readOptions("withRegistry()", given, registryKinds);
    this.#registries.set(host, { ...this.#registries.get(host), ...options });
    return this;
  }

  /** Images of docker.io come from here. `http` when the mirror speaks plain HTTP. */
  withRegistryMirror(mirror: string, options: { http?: boolean } = {}): this {
    const { http } = readOptions("withRegistryMirror()", options, { http: flag });
    if (http) this.withRegistry(mirror, { http: true });
    return this.withRegistry("docker.io", {
      mirrors: [...(this.#registries.get("docker.io")?.mirrors ?? []), mirror],
    });
  }

  /** More flags of buildkitd, e.g. `--debug`. */
  withFlags(...flags: string[]): this {
    this.#flags.push(...flags);
    return this;
  }

  /** Most memory that the daemon and its builds may take: bytes, or a text such as `512m`. */
  withMemoryLimit(size: number | string): this {
    this.hostConfig.Memory = typeof size === "number" ? size : parseSize(size);
    return this;
  }

  /** Most processors that the daemon and its builds may take; fractions are possible. */
  withCpuLimit(cpus: number): this {
    if (!(cpus > 0)) throw new InvalidArgumentError(`invalid number of processors: ${cpus}`);
    this.hostConfig.NanoCpus = Math.round(cpus * 1e9);
    return this;
  }

  /**
   * Builds go over a TCP port, which the engine maps to a free one of its machine's loopback device. Who reaches the
   * port controls a privileged daemon, so do not have it bound elsewhere but on a machine of your own.
   */
  withTcp(options: { hostIp?: string } = {}): this {
    const { hostIp = "127.0.0.1" } = readOptions("withTcp()", options, { hostIp: text() });
    this.withExposedPorts(tcpPort);
    (this.hostConfig.PortBindings as Record<string, unknown>)[`${tcpPort}/tcp`] = [
      { HostIp: hostIp, HostPort: "0" },
    ];
    return this;
  }

  /**
   * Builds go over the daemon's socket in this directory of ours, which is mounted: the fastest way, on the engine's own machine
   * only. The socket belongs to the process's group.
   */
  withSocketDirectory(path: string): this {
    this.#socketDirectory = path;
    return this.withBindMounts([{ source: path, target: socketDirectory, mode: "rw" }]);
  }

  /**
   * Starts the daemon and waits until it answers.
   *
   * With `withReuse()` a daemon of the same settings is shared: with other test files, other processes and later runs.
   * Processes that start at the same time wait for the one that makes it.
   *
   * @throws ConfigError for an invalid configuration; SlipwayError `BUILDKIT_CONTAINER` when the daemon ended, with its
   * last words; DeadlineError when it did not answer in time.
   */
  override async start(): Promise<StartedBuildKitContainer> {
    const { config, description } = await this.#describe();
    if (config !== undefined)
      this.withCopyContentToContainer([{ content: config, target: `${configDirectory}/buildkitd.toml` }]);
    this.withLabels({ [descriptionLabel]: description });
    const { hostConfig } = this;
    const isShared = this.reuse && process.env["TESTCONTAINERS_REUSE_ENABLE"] !== "false";
    // So that people who meet it in a list know whose it is, and that it is no leftover.
    if (isShared && this.createOpts.name === undefined) this.withName(nameOf(description));
    const mapped = this.exposedPorts.length > 0 && hostConfig.NetworkMode !== "host" ? tcpPort : undefined;
    const started = isShared ? await this.#startShared(description) : await super.start();
    return new StartedBuildKitContainer(started, {
      isShared,
      ...(mapped !== undefined && { port: mapped }),
      ...(this.#socketDirectory !== undefined && {
        socket: join(this.#socketDirectory, "buildkitd.sock"),
      }),
    });
  }

  /** What a shared daemon of these settings is called. @internal */
  async sharedName(): Promise<string> {
    return nameOf((await this.#describe()).description);
  }

  /** Settles the command; the description is the same for the same settings. */
  async #describe(): Promise<{ config: string | undefined; description: string }> {
    const config = await this.#configText();
    this.withCommand(this.#command(config !== undefined));
    const description = createHash("sha256")
      .update(JSON.stringify([this.createOpts, this.hostConfig, config]))
      .digest("hex");
    return { config, description };
  }

  /** Whoever comes second finds the first one's container running, not half-made and without its configuration. */
  async #startShared(description: string) {
    const { info } = await getContainerRuntimeClient();
    const key = createHash("sha256").update(`${info.containerRuntime.host} ${description}`).digest("hex");
    const user = process.getuid?.() ?? "";
    const lock = await lockFile(join(tmpdir(), `slipway-testcontainers-${user}-${key.slice(0, 16)}.lock`), {
      timeout: 300_000,
    });
    try {
      return await super.start();
    } finally {
      await lock.close();
    }
  }

  #command(hasConfig: boolean): string[] {
    const command = hasConfig ? ["--config", `${configDirectory}/buildkitd.toml`] : [];
    if (this.exposedPorts.length > 0)
      command.push("--addr", defaultSocket, "--addr", `tcp://0.0.0.0:${tcpPort}`);
    if (this.#socketDirectory !== undefined) command.push("--group", String(process.getgid?.() ?? 0));
    return [...command, ...this.#flags];
  }

  async #configText(): Promise<string | undefined> {
    const registries = [...this.#registries];
    const config = this.#config;
    if (registries.length === 0 && (config === undefined || typeof config === "string")) {
      if (config !== undefined) await parseBuildkitdToml("buildkitd.toml", Buffer.from(config));
      return config;
    }
    const { stringify } = await import("smol-toml");
    const text = typeof config === "string" ? config : stringify(config ?? {});
    const table = await parseBuildkitdToml("buildkitd.toml", Buffer.from(text));
    const all = new Map(Object.entries((table["registry"] ?? {}) as Record<string, object>));
    for (const [host, options] of registries) all.set(host, { ...all.get(host), ...options });
    table["registry"] = Object.fromEntries(all) as TomlTable;
    return stringify(table, { numbersAsFloat: true });
  }
}

function nameOf(description: string): string {
  return `${sharedNamePrefix}${description.slice(0, 12)}`;
}
