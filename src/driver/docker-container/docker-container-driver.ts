import type { Duplex } from "node:stream";
import type { BuildkitClient } from "../../buildkit/index.js";
import {
  type EventSink,
  type VertexWriter,
  isSlipwayError,
  messageOf,
  sleep,
  withDeadline,
  withVertex,
} from "../../core/index.js";
import type { ContainerInspect } from "../../engine-api/index.js";
import {
  type ConnectOptions,
  type DiagnoseOptions,
  type Driver,
  type DriverCallOptions,
  type DriverFeatures,
  type NodeFeatures,
  type NodeStatus,
  type RemoveOptions,
  allNodeFeatures,
} from "../driver.js";
import { DriverError } from "../driver-error.js";
import { type NodeConnection, connectNode } from "./connect-node.js";
import { containerName, socketMount, stateVolumeName } from "./container-spec.js";
import { logTail, withLogs } from "./log-tail.js";
import { type ContainerContext, hasOtherConfig, inspectNode } from "./container-context.js";
import { removeContainer, removeVolume } from "./remove-container.js";
import { removeSocketDirectory } from "./socket-directory.js";

/** Limit of asking the engine what became of a builder, after a connection died (FLT-1), in ms. */
const diagnoseMilliseconds = 3_000;

/** The engine learns of a container's end a little later than those that were connected to it, in ms. */
const settleMilliseconds = 1_000;

/**
 * BuildKit in a container of the engine, one per node: Docker's docker-container driver. Owns the engine connection of
 * its context and closes it.
 */
export class DockerContainerDriver implements Driver {
  readonly name = "docker-container";
  readonly features: DriverFeatures;
  readonly #node: ContainerContext;
  /** Since when the container runs that was connected to last; tells whether it was restarted. */
  #startedAt: string | undefined;

  constructor(node: ContainerContext) {
    this.#node = node;
    this.features = { defaultLoad: node.options.defaultLoad, engineStore: false, ownsDaemon: true };
  }

  nodeFeatures(): Promise<NodeFeatures> {
    return Promise.resolve(allNodeFeatures);
  }

  async status({ signal }: DriverCallOptions = {}): Promise<NodeStatus> {
    const container = await inspectNode(this.#node, signal);
    if (!container) return "inactive";
    return container.State.Running ? "running" : "stopped";
  }

  async connect(options: ConnectOptions = {}): Promise<BuildkitClient> {
    return (await this.#open(options)).client;
  }

  async dial(options: ConnectOptions = {}): Promise<Duplex> {
    // The first connection boots what is to be booted, and shows the way.
    const { client, dial } = await this.#open(options);
    await client.close();
    return dial(options.signal);
  }

  async #open({ sink, signal, boot = true }: ConnectOptions): Promise<NodeConnection> {
    const node = this.#node;
    const container = await inspectNode(node, signal);
    if (container?.State.Running && !container.State.Restarting) {
      if (container.State.Paused)
        throw new DriverError("DRIVER_BOOT", `builder container ${this.#name} is paused; unpause it first`);
      if (hasOtherConfig(node, container))
        sink?.({
          type: "message",
          level: "warning",
          text: `builder container ${this.#name} runs with an older configuration; it takes effect after \`slipway stop\``,
        });
      return this.#connected(await connectNode(node, { signal, sink, booting: false, found: container }));
    }
    if (!boot) throw new DriverError("DRIVER_NOT_RUNNING", `builder container ${this.#name} is not running`);
    return withSummary(sink, async (vertex) => {
      let connection: NodeConnection | undefined;
      let failure: unknown;
      try {
        connection = await this.#boot(vertex, { sink, signal });
      } catch (error) {
        failure = error;
      }
      // A container that is taken away meanwhile fails in many ways; one that was made after that would stay (STO-8).
      if (!signal?.aborted && (await this.#node.isWanted?.()) === false) {
        await connection?.client.close();
        await this.remove({ signal });
        failure = new DriverError(
          "DRIVER_BOOT",
          `the builder of ${this.#name} was removed while it was booted`,
        );
      }
      if (!connection || failure !== undefined) throw failure;
      return this.#connected(connection);
    });
  }

  #connected(connection: NodeConnection): NodeConnection {
    this.#startedAt = connection.startedAt;
    return connection;
  }

  async #boot(vertex: VertexWriter, { sink, signal }: ConnectOptions): Promise<NodeConnection> {
    const node = this.#node;
    // Most builds find it running.
    const { bootContainer } = await import("./boot.js");
    const { extras } = await bootContainer(node, vertex, { signal });
    try {
      return await connectNode(node, { signal, sink, booting: true });
    } catch (error) {
      const stopped = error instanceof DriverError && error.code === "DRIVER_BOOT";
      if (!extras || !stopped || signal?.aborted) throw error;
      // The extras kept the daemon from starting (a root-squashed home, a broken GPU runtime): do without.
      await this.#removeContainer(signal);
      await bootContainer(node, vertex, { signal, plain: true });
      return connectNode(node, { signal, sink, booting: true });
    }
  }

  async version({ signal }: DriverCallOptions = {}): Promise<string> {
    const { stdout } = await this.#node.engine.run(this.#name, ["buildkitd", "--version"], { signal });
    const words = stdout.toString("utf8").trim().split(/\s+/);
    if (words.length !== 4 || words[2] === undefined)
      throw new DriverError("DRIVER_CONNECT", `unexpected version text of buildkitd: ${words.join(" ")}`);
    return words[2];
  }

  async stop({ signal }: DriverCallOptions = {}): Promise<void> {
    const container = await inspectNode(this.#node, signal);
    if (!container?.State.Running) return;
    await this.#node.engine.containers.stop(this.#name, { signal });
  }

  async remove({ signal, keepState = false }: RemoveOptions = {}): Promise<void> {
    await this.#removeContainer(signal);
    if (!keepState) await removeVolume(this.#node.engine, stateVolumeName(this.#node.nodeName), signal);
  }

  async diagnose({ since, signal }: DiagnoseOptions): Promise<string | undefined> {
    const node = this.#node;
    try {
      return await withDeadline(signal, diagnoseMilliseconds, "asking the engine", async (within) => {
        const settled = Date.now() + settleMilliseconds;
        for (;;) {
          const container = await inspectNode(node, within);
          const fate = container ? this.#fate(container) : "was removed; the next build boots it again";
          if (fate !== undefined) {
            const isSilent = !container || container.State.Paused;
            const logs = isSilent ? "" : await logTail(node, { localTime: since }, within);
            return withLogs(`builder container ${this.#name} ${fate}`, logs);
          }
          if (Date.now() >= settled) return undefined;
          await sleep(100, within);
        }
      });
    } catch (error) {
      // Whoever closed the driver meanwhile has ended the builder's connection as well, and knows why.
      if (signal?.aborted || isSlipwayError(error, "ENGINE_CLOSED")) return undefined;
      return `the engine at ${node.engine.host} does not answer: ${messageOf(error)}`;
    }
  }

  async close(): Promise<void> {
    await this.#node.engine.close();
  }

  /** What became of a container that runs no more, or not as it did when it was connected to. */
  #fate({ State: state }: ContainerInspect): string | undefined {
    if (state.Paused) return "is paused";
    if (state.OOMKilled) return "was killed (out of memory)";
    if (!state.Running || state.Restarting) return `stopped with exit code ${state.ExitCode}`;
    if (this.#startedAt !== undefined && this.#startedAt !== state.StartedAt) return "was restarted";
    return undefined;
  }

  get #name(): string {
    return containerName(this.#node.nodeName);
  }

  async #removeContainer(signal: AbortSignal | undefined): Promise<void> {
    const container = await inspectNode(this.#node, signal);
    if (!container) return;
    // Anonymous volumes go with it; the named state volume does not.
    await removeContainer(this.#node.engine, container.Id, { volumes: true, signal });
    const mounted = socketMount(container);
    if (mounted?.startsWith(`${this.#node.socketParent}/`)) await removeSocketDirectory(mounted);
  }
}

/** Boots as a vertex, which shows an error without the log lines that the error itself has: once is enough. */
async function withSummary<T>(
  sink: EventSink | undefined,
  boot: (vertex: VertexWriter) => Promise<T>,
): Promise<T> {
  let failure: unknown;
  try {
    return await withVertex(sink, "[internal] booting buildkit", async (vertex) => {
      try {
        return await boot(vertex);
      } catch (error) {
        failure = error;
        throw error instanceof DriverError ? new DriverError(error.code, error.summary) : error;
      }
    });
  } catch (error) {
    throw failure ?? error;
  }
}
