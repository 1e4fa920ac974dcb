import {
  type BuildResult,
  type ConnectTarget,
  type Connection as BuildConnection,
  type ConnectionBuildOptions,
  type OpenResult,
  type OpenResultOptions,
  connect as connectToBuild,
} from "../build/index.js";
import type { Environment } from "../config/index.js";
import type { BakeOptions, BakeResult } from "./bake.js";
import type { BakeDefinition, BakePlan, ReadBakeOptions } from "./read-bake.js";

/** Options of {@link Connection.readBake}: those of `readBake()` but for where. */
export type ConnectionReadBakeOptions = Omit<ReadBakeOptions, "builder" | "address" | "tls" | "dial">;

/** Options of {@link Connection.bake}: those of `bake()` but for where. */
export type ConnectionBakeOptions = Omit<BakeOptions, "builder" | "address" | "tls" | "dial">;

/**
 * A warm connection: the builder is up, and builds start at once. Builds may run side by side on it. Of several nodes
 * only the first is started; a build starts the others when it needs them. A lost connection, as after a restart of the
 * builder, is made again for the next build; a `message` event tells of it.
 */
export interface Connection extends BuildConnection {
  /** Builds targets of a definition on the connected builder; see `bake()`. */
  bake(options?: ConnectionBakeOptions): Promise<BakeResult>;
  /** Reads a definition, one that is `remote` by the connected builder; see `readBake()`. */
  readBake(options?: ConnectionReadBakeOptions): Promise<BakePlan>;
}

/**
 * Connects to a builder, which is started if it does not run. Close the connection when done.
 *
 * @throws InvalidArgumentError for an invalid target; StoreError, DriverError or BuildkitError for a builder that cannot
 * be found, booted or reached.
 */
export async function connect(target: ConnectTarget = {}): Promise<Connection> {
  return new BakingConnection(await connectToBuild(target), target.env);
}

/** `readDefinition()` on a connection that {@link connect} has made. */
export async function readDefinitionOn(
  connection: Connection,
  options: ReadBakeOptions,
): Promise<BakeDefinition> {
  const { definitionOf } = await import("./plan-bake.js");
  return definitionOf(options, BakingConnection.innerOf(connection));
}

class BakingConnection implements Connection {
  readonly #inner: BuildConnection;
  readonly #env: Environment | undefined;

  constructor(inner: BuildConnection, env: Environment | undefined) {
    this.#inner = inner;
    this.#env = env;
  }

  static innerOf(connection: Connection): BuildConnection {
    return connection instanceof BakingConnection ? connection.#inner : connection;
  }

  build(options: ConnectionBuildOptions): Promise<BuildResult> {
    return this.#inner.build(options);
  }

  openResult(options: ConnectionBuildOptions & OpenResultOptions): Promise<OpenResult> {
    return this.#inner.openResult(options);
  }

  async bake(options: ConnectionBakeOptions = {}): Promise<BakeResult> {
    const { runBake } = await import("./run-bake.js");
    return runBake(this.#withEnv(options), this.#inner);
  }

  async readBake(options: ConnectionReadBakeOptions = {}): Promise<BakePlan> {
    const { planBake } = await import("./plan-bake.js");
    return planBake(this.#withEnv(options), this.#inner);
  }

  /** What is not an object is refused by name where options are read. */
  #withEnv<Options extends ConnectionReadBakeOptions>(options: Options): Options {
    if (this.#env === undefined || typeof options !== "object" || (options as Options | null) === null)
      return options;
    return { env: this.#env, ...options };
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
