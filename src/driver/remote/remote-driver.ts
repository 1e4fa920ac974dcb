import type { Duplex } from "node:stream";
import { BuildkitClient, localWindows } from "../../buildkit/index.js";
import {
  type Dial,
  type EventSink,
  isSlipwayError,
  messageOf,
  sleep,
  throwIfAborted,
  withDeadline,
  withVertex,
} from "../../core/index.js";
import { EngineError } from "../../engine-api/index.js";
import {
  type ConnectOptions,
  type Driver,
  type DriverCallOptions,
  type DriverFeatures,
  type NodeFeatures,
  type NodeStatus,
  allNodeFeatures,
} from "../driver.js";
import { DriverError } from "../driver-error.js";
import type { DriverSpec } from "../driver-kind.js";
import type { AddressTls } from "./dial-address.js";
import { type AddressContext, type OpenedAddress, openAddress } from "./open-address.js";
import { parseRemoteOptions } from "./options.js";
import { readTlsFiles } from "./tls-files.js";

/** How long a daemon that is not there may take to come (buildx driver/remote), in ms, and how often it is looked for. */
const bootMilliseconds = 20_000;
const pauseMilliseconds = 250;

/** One try to get an answer, in ms. */
const attemptMilliseconds = 20_000;

/** The driver of a daemon at an address. @throws DriverError `DRIVER_OPTION`, InvalidArgumentError for an address that is none. */
export async function openRemote(spec: DriverSpec): Promise<RemoteDriver> {
  const { endpoint, env, dockerConfig, driverOpts } = spec;
  const { defaultLoad, tls } = parseRemoteOptions(driverOpts);
  const readTls = tls && (() => readTlsFiles(tls));
  return new RemoteDriver(endpoint, await openAddress(endpoint, { env, dockerConfig, readTls }), {
    defaultLoad,
  });
}

/** A daemon by its address, or by any way of dialling it. */
export type RemoteTarget =
  | ({ address: string; tls?: AddressTls | undefined } & Pick<AddressContext, "env" | "dockerConfig">)
  | { dial: Dial };

/** The driver of a daemon that is no node of a builder. @throws InvalidArgumentError for an address that is none. */
export async function openTarget(target: RemoteTarget): Promise<RemoteDriver> {
  if ("dial" in target)
    return new RemoteDriver(undefined, {
      dial: target.dial,
      windows: localWindows,
      close: () => Promise.resolve(),
    });
  const { address, tls, env, dockerConfig } = target;
  const readTls = tls && (() => Promise.resolve(tls));
  return new RemoteDriver(address, await openAddress(address, { env, dockerConfig, readTls }));
}

/** A buildkitd that somebody else runs: there is nothing to make, stop or remove. */
export class RemoteDriver implements Driver {
  readonly name = "remote";
  readonly features: DriverFeatures;
  /** Undefined when only the caller knows. */
  readonly #address: string | undefined;
  readonly #opened: OpenedAddress;

  constructor(
    address: string | undefined,
    opened: OpenedAddress,
    { defaultLoad = false }: { defaultLoad?: boolean } = {},
  ) {
    this.#address = address;
    this.#opened = opened;
    this.features = { defaultLoad, engineStore: false, ownsDaemon: false };
  }

  nodeFeatures(): Promise<NodeFeatures> {
    return Promise.resolve(allNodeFeatures);
  }

  /** Whether somebody takes connections there. Rejects when that cannot be known, as with a certificate file that is missing. */
  async status({ signal }: DriverCallOptions = {}): Promise<NodeStatus> {
    try {
      (await this.#opened.dial(signal)).destroy();
      return "running";
    } catch (error) {
      throwIfAborted(signal);
      if (mayCome(error)) return "inactive";
      throw error;
    }
  }

  /** Waits up to 20 s for a daemon that is not there yet, unless `boot` is false. What waiting cannot cure is thrown at once. */
  async connect({ signal, sink, boot = true }: ConnectOptions = {}): Promise<BuildkitClient> {
    try {
      return await this.#try(signal);
    } catch (error) {
      if (!boot || !mayCome(error)) throw error;
      return await this.#wait(error, sink, signal);
    }
  }

  #wait(
    first: unknown,
    sink: EventSink | undefined,
    signal: AbortSignal | undefined,
  ): Promise<BuildkitClient> {
    return withVertex(sink, "[internal] waiting for connection", async (vertex) => {
      vertex.log(2, Buffer.from(`${messageOf(first)}\n`));
      const deadline = Date.now() + bootMilliseconds;
      for (let last = first; ;) {
        if (Date.now() >= deadline) throw last;
        await sleep(pauseMilliseconds, signal);
        try {
          return await this.#try(signal);
        } catch (error) {
          if (!mayCome(error)) throw error;
          last = error;
        }
      }
    });
  }

  async #try(signal: AbortSignal | undefined): Promise<BuildkitClient> {
    const { dial, windows } = this.#opened;
    let client: BuildkitClient | undefined;
    try {
      return await withDeadline(signal, attemptMilliseconds, `an answer of buildkitd`, async (within) => {
        client = await BuildkitClient.connect(dial, { windows, signal: within });
        await client.info({ signal: within });
        return client;
      });
    } catch (error) {
      await client?.close();
      throwIfAborted(signal);
      if (this.#address === undefined || error instanceof DriverError || error instanceof EngineError)
        throw error;
      // With TLS 1.3 a server tells that it does not like the client's certificate only after the handshake.
      const why = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : "";
      throw new DriverError(
        "DRIVER_CONNECT",
        `cannot connect to buildkitd at ${this.#address}: ${messageOf(error)}${why}`,
        { cause: error },
      );
    }
  }

  dial({ signal }: ConnectOptions = {}): Promise<Duplex> {
    return this.#opened.dial(signal);
  }

  /** Whoever runs it knows. */
  version(): Promise<string> {
    return Promise.resolve("");
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }

  async diagnose({ signal }: DriverCallOptions = {}): Promise<string | undefined> {
    try {
      await (await this.#try(signal)).close();
      return undefined;
    } catch (error) {
      if (signal?.aborted) return undefined;
      return `${this.#address === undefined ? "the daemon" : `buildkitd at ${this.#address}`} is gone: ${messageOf(error)}`;
    }
  }

  close(): Promise<void> {
    return this.#opened.close();
  }
}

/** What `buildctl dial-stdio` ends with in a container or pod whose daemon does not listen yet. */
const notListening = /connect: (?:no such file or directory|connection refused)/;

/** Nobody answers at the address yet: errors of connecting alone, which the next try may not meet. */
function mayCome(error: unknown): boolean {
  if (isSlipwayError(error, ["ENGINE_EXEC", "DRIVER_CONNECT"]) && notListening.test(messageOf(error)))
    return true;
  const cause = error instanceof DriverError ? error.cause : undefined;
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ECONNREFUSED" || code === "ECONNRESET" || code === "ETIMEDOUT";
}
