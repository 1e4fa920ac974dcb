import { openEngine } from "../driver/index.js";
import {
  type DockerConfig,
  type DockerEndpoint,
  type Environment,
  resolveDockerEndpoint,
} from "../config/index.js";
import type { EngineClient } from "../engine-api/index.js";
import { untilAborted } from "../core/index.js";
import { usesContainerdStore } from "./load/containerd-store.js";
import type { SharedMounts } from "./shared-mounts.js";
import type { SolvePlan } from "./solve-plan.js";
import { Turns } from "./turns.js";

/** What builds that run together share: opened when first needed, once, and closed once, when all of them have ended. */
export class BuildResources implements AsyncDisposable {
  readonly env: Environment;
  readonly dockerConfig: DockerConfig;
  /** Read images' manifests afterwards, for a result's platforms and layers. */
  readonly describe: boolean;
  /** Directories that several of the builds have. */
  readonly mounts: SharedMounts | undefined;
  readonly #engines = new Map<string, EngineClient>();
  readonly #loads = new Map<EngineClient, Turns>();
  readonly #containerdStores = new Map<EngineClient, Promise<boolean>>();

  constructor(options: {
    env: Environment;
    dockerConfig: DockerConfig;
    describe: boolean;
    mounts?: SharedMounts;
  }) {
    this.mounts = options.mounts;
    this.env = options.env;
    this.dockerConfig = options.dockerConfig;
    this.describe = options.describe;
  }

  /** The engine that `--load` means: that of the current docker context, or of the one that is named. */
  async loadingEngine(context?: string): Promise<EngineClient> {
    return this.engine(
      await resolveDockerEndpoint(this.env, this.dockerConfig, context === undefined ? {} : { context }),
    );
  }

  engine(endpoint: DockerEndpoint): EngineClient {
    const key = `${endpoint.contextName}\n${endpoint.host}`;
    const known = this.#engines.get(key);
    if (known) return known;
    const engine = openEngine(endpoint, this.env);
    this.#engines.set(key, engine);
    return engine;
  }

  /** Whether an engine keeps images in containerd; asked once. */
  async usesContainerdStore(engine: EngineClient, signal: AbortSignal | undefined): Promise<boolean> {
    let answer = this.#containerdStores.get(engine);
    if (!answer) {
      answer = usesContainerdStore(engine);
      this.#containerdStores.set(engine, answer);
      answer.catch(() => this.#containerdStores.delete(engine));
    }
    return signal ? untilAborted(signal, answer) : answer;
  }

  /** Asks ahead, while the builder is connected to: an engine may take 10 ms. Whoever needs the answer gets the error too. */
  expectLoads({ exports }: Pick<SolvePlan, "exports">): void {
    for (const { destination } of exports)
      if (destination.kind === "load")
        void this.loadingEngine(destination.context)
          .then((engine) => this.usesContainerdStore(engine, undefined))
          .catch(() => {});
  }

  /** Images go into an engine one after the other: each is then spared what those before have brought. */
  loadsInto(engine: EngineClient): Turns {
    const turns = this.#loads.get(engine) ?? new Turns(1);
    this.#loads.set(engine, turns);
    return turns;
  }

  async close(): Promise<void> {
    const engines = [...this.#engines.values()];
    this.#engines.clear();
    await Promise.all(engines.map((engine) => engine.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
