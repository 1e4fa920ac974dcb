import { AbstractStartedContainer, type StartedTestContainer, type StopOptions } from "testcontainers";
import { type ConnectTarget, type Connection, connect } from "../build/index.js";
import { type Dial, callback, readOptions, signal } from "../core/index.js";
import { execDial } from "../engine-api/index.js";
import { engineEnvironment, openRuntimeEngine } from "./runtime-engine.js";
import { dialCommand } from "./wait-for-buildkit.js";

/** How {@link BuildKitContainer} made the container. */
interface Making {
  isShared: boolean;
  /** Port of the daemon inside the container, when it is mapped. */
  port?: number;
  /** Path of the daemon's socket on this machine, when it is mounted. */
  socket?: string;
}

/** A BuildKit daemon that answers. `build({ ...await container.target(), … })` builds on it. */
export class StartedBuildKitContainer extends AbstractStartedContainer {
  readonly #making: Making;

  /** For {@link BuildKitContainer}. */
  /** @internal */
  constructor(started: StartedTestContainer, making: Making) {
    super(started);
    this.#making = making;
  }

  /** `tcp://…` or `unix://…` of the daemon, when its port is mapped or its socket mounted. */
  get address(): string | undefined {
    const { port, socket } = this.#making;
    if (socket !== undefined) return `unix://${socket}`;
    return port === undefined ? undefined : `tcp://${this.getHost()}:${this.getMappedPort(port)}`;
  }

  /**
   * Dials the daemon by a process in its container: works wherever the engine is. The engine's client is opened for each
   * connection and goes with it.
   */
  readonly dial: Dial = async (signal) => {
    const engine = await openRuntimeEngine();
    try {
      const stream = await execDial(engine, this.getId(), dialCommand)(signal);
      stream.once("close", () => void engine.close());
      return stream;
    } catch (error) {
      await engine.close();
      throw error;
    }
  };

  /**
   * Where `build()` and `connect()` build on this daemon: by its address if it has one, or else by {@link dial}. Results
   * that are loaded go into testcontainers' engine.
   *
   * @param over `exec` for {@link dial} in any case.
   */
  async target(over: "auto" | "exec" = "auto"): Promise<ConnectTarget> {
    await using engine = await openRuntimeEngine();
    const env = engineEnvironment(engine);
    const address = over === "auto" ? this.address : undefined;
    return address === undefined ? { dial: this.dial, env } : { address, env };
  }

  /** A warm connection for many builds. Close it when done. */
  async connect(given: Pick<ConnectTarget, "onEvent" | "signal"> = {}): Promise<Connection> {
    const options = readOptions("connect()", given, { onEvent: callback, signal });
    return connect({ ...(await this.target()), ...options });
  }

  /**
   * Stops and removes the daemon with its cache. One that is shared (`withReuse()`) goes on for the others; `remove: true`
   * takes it from them.
   */
  override async stop(options: Partial<StopOptions> = {}): ReturnType<AbstractStartedContainer["stop"]> {
    if (this.#making.isShared && options.remove !== true) return stillThere(this);
    return super.stop(options);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

type Stopped = Awaited<ReturnType<AbstractStartedContainer["stop"]>>;

function stillThere(container: StartedBuildKitContainer): Stopped {
  return {
    getId: () => container.getId(),
    copyArchiveFromContainer: (path) => container.copyArchiveFromContainer(path),
  };
}
