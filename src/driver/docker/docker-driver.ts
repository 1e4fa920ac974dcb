import type { Duplex } from "node:stream";
import { BuildkitClient, localWindows, remoteWindows } from "../../buildkit/index.js";
import { isSlipwayError, messageOf, untilAborted, withDeadline } from "../../core/index.js";
import { type EngineClient, EngineError } from "../../engine-api/index.js";
import type {
  ConnectOptions,
  Driver,
  DriverCallOptions,
  DriverFeatures,
  NodeFeatures,
  NodeStatus,
} from "../driver.js";
import { DriverError } from "../driver-error.js";
import type { DriverSpec } from "../driver-kind.js";
import { engineEndpoint } from "../engine-endpoint.js";
import { openEngine } from "../open-engine.js";
import { buildkitOfEngine } from "./engine-versions.js";
import { engineNodeFeatures } from "./node-features.js";

/** Limit of asking the engine what became of it, after a connection died, in ms. */
const diagnoseMilliseconds = 3_000;

/** The driver of an engine's own BuildKit, `docker`. @throws ConfigError for a context that is gone. */
export async function openDocker({ endpoint, env, dockerConfig }: DriverSpec): Promise<DockerDriver> {
  return new DockerDriver(openEngine(await engineEndpoint(env, dockerConfig, endpoint), env));
}

/**
 * The BuildKit that is part of a docker engine: it runs as long as the engine does, and there is nothing to make, stop or remove.
 * Owns its engine connection.
 */
export class DockerDriver implements Driver {
  readonly name = "docker";
  readonly features: DriverFeatures = { defaultLoad: true, engineStore: true, ownsDaemon: false };
  readonly #engine: EngineClient;
  readonly #asked = new WeakMap<BuildkitClient, Promise<NodeFeatures>>();

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Asked once per connection: the daemon looks at all emulators for its answer, 10 ms. */
  nodeFeatures(client: BuildkitClient, { signal }: DriverCallOptions = {}): Promise<NodeFeatures> {
    let features = this.#asked.get(client);
    if (!features) {
      features = this.#features(client);
      this.#asked.set(client, features);
      features.catch(() => this.#asked.delete(client));
    }
    return signal ? untilAborted(signal, features) : features;
  }

  async #features(client: BuildkitClient): Promise<NodeFeatures> {
    // An older one has the classic store, and does not tell where its host is.
    return engineNodeFeatures((await this.#engine.mayUseContainerdStore()) ? await client.workers() : []);
  }

  /** Rejects when the engine does not answer. */
  async status(options: DriverCallOptions = {}): Promise<NodeStatus> {
    await this.#engine.ping(options);
    return "running";
  }

  async connect({ signal }: ConnectOptions = {}): Promise<BuildkitClient> {
    const windows = this.#engine.isLocalSocket ? localWindows : remoteWindows;
    let client: BuildkitClient | undefined;
    try {
      client = await BuildkitClient.connect((within) => this.#dial(within), { windows, signal });
      // An older one has said that it is BuildKit from here on. Where the socket itself is, anything may answer.
      if (await this.#engine.mayUseContainerdStore({ signal })) await client.info({ signal });
      return client;
    } catch (error) {
      await client?.close();
      throw error;
    }
  }

  dial({ signal }: ConnectOptions = {}): Promise<Duplex> {
    return this.#dial(signal);
  }

  async #dial(signal: AbortSignal | undefined): Promise<Duplex> {
    try {
      return await this.#engine.dialBuildkit({ signal });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      throw new DriverError(
        "DRIVER_CONNECT",
        `the engine at ${this.#engine.host} does not offer a BuildKit of its own (${messageOf(error)}); make a container builder with: slipway create --driver docker-container --use`,
        { cause: error },
      );
    }
  }

  /** What the engine's release has, for daemons too old to be asked. */
  async version(options: DriverCallOptions = {}): Promise<string> {
    return buildkitOfEngine((await this.#engine.version(options)).Version);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }

  async diagnose({ signal }: DriverCallOptions = {}): Promise<string | undefined> {
    try {
      await withDeadline(signal, diagnoseMilliseconds, "asking the engine", (within) =>
        this.#engine.ping({ signal: within }),
      );
      return undefined;
    } catch (error) {
      if (signal?.aborted || isSlipwayError(error, "ENGINE_CLOSED")) return undefined;
      return `the engine at ${this.#engine.host} does not answer: ${messageOf(error)}`;
    }
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

/** The engine answered, and has no such thing: podman, a proxy, or docker without BuildKit. */
function isRefusal(error: unknown): boolean {
  return error instanceof EngineError && error.status !== undefined;
}
