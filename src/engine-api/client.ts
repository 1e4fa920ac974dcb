import type { Duplex } from "node:stream";
import { type Dial, InvalidArgumentError, readOptions } from "../core/index.js";
import { compareApiVersions, pinnedApiVersion } from "./api-version.js";
import { collect } from "./collect.js";
import { Containers } from "./containers.js";
import { type EngineTls, dialEndpoint } from "./dial-endpoint.js";
import { type Endpoint, parseEndpoint } from "./endpoint.js";
import { type EventsOptions, readEvents } from "./events.js";
import { Execs } from "./execs.js";
import { Images } from "./images.js";
import { Networks } from "./networks.js";
import { callKinds, engineKinds } from "./option-kinds.js";
import { type RunOptions, type RunResult, runInContainer } from "./run.js";
import { type CallOptions, Transport } from "./transport.js";
import { Volumes } from "./volumes.js";
import type { EngineEvent, SystemInfo, EngineVersion } from "./wire-system.js";

/** The first API of engines that can keep images in containerd. */
const containerdStoreVersion = "1.42";
/** From here on the engine's socket itself takes BuildKit's gRPC (moby docs/api/version-history). */
const nativeGrpcVersion = "1.53";

/** Options of {@link EngineClient.open}. */
export interface EngineOptions {
  /** `unix:///var/run/docker.sock`, `tcp://host:port`, `ssh://user@host`, `npipe:////./pipe/docker_engine`. */
  host: string;
  /** PEM texts. When this is given, even empty, a tcp host is reached by TLS only. */
  tls?: EngineTls | undefined;
  /** Use TLS without verifying the certificate. */
  skipTlsVerify?: boolean | undefined;
  /** Speak this version without asking (`DOCKER_API_VERSION`). Default: negotiated at the first call. */
  apiVersion?: string | undefined;
  /** Default `slipway`. */
  userAgent?: string | undefined;
  /**
   * Called with a warning: a certificate that is not verified, or a socket that belongs to neither root nor the current
   * user. What it throws, or rejects with, ends the call.
   */
  onWarning?: ((text: string) => unknown) | undefined;
  /** Opens the connections, instead of connecting to `host`; for tunnels and tests. */
  dial?: Dial | undefined;
}

/** The answer to a ping. */
export interface Ping {
  /** The newest API the engine speaks. */
  apiVersion: string | undefined;
  osType: string | undefined;
  /** `2` when the engine's own builder is BuildKit. */
  builderVersion: string | undefined;
}

/**
 * A Docker engine's HTTP API. Nothing is dialled before the first call. Connections are kept for the next call, never
 * keep a process alive, and are gone after {@link close}.
 */
export class EngineClient implements AsyncDisposable {
  /** As it was given. */
  readonly host: string;
  /** True when the engine is reached by a socket or pipe of this machine. It may still run in a virtual machine. */
  readonly isLocalSocket: boolean;
  readonly containers: Containers;
  readonly exec: Execs;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly networks: Networks;
  readonly #transport: Transport;
  readonly #hasPlainSocket: boolean;

  /** @internal */
  private constructor(endpoint: Endpoint, options: EngineOptions) {
    const { host, userAgent = "slipway", apiVersion } = options;
    if (!/^[\x20-\x7e]+$/.test(userAgent)) throw new InvalidArgumentError("invalid user agent");
    this.host = host;
    this.isLocalSocket = endpoint.kind === "unix" || endpoint.kind === "npipe";
    // With TLS the protocol is agreed on in the handshake, which is made for HTTP/1.1 here; behind a prefix there is a proxy.
    this.#hasPlainSocket = endpoint.kind !== "tcp" || (!endpoint.tls && endpoint.prefix === "");
    this.#transport = new Transport({
      host,
      origin: originOf(endpoint),
      prefix: endpoint.kind === "tcp" ? endpoint.prefix : "",
      dial: options.dial ?? dialEndpoint(endpoint, options),
      userAgent,
      apiVersion: apiVersion ? pinnedApiVersion(apiVersion) : undefined,
      // With TLS 1.3 the server checks the client's certificate only after the client considers itself connected.
      refusalHint:
        endpoint.kind === "tcp" && endpoint.tls && options.tls?.cert === undefined
          ? "it may want a client certificate, and none is configured"
          : undefined,
    });
    this.containers = new Containers(this.#transport);
    this.exec = new Execs(this.#transport);
    this.images = new Images(this.#transport);
    this.volumes = new Volumes(this.#transport);
    this.networks = new Networks(this.#transport);
  }

  /** A client for the engine at `options.host`. @throws InvalidArgumentError for an invalid host or version. */
  static open(options: EngineOptions): EngineClient {
    const given = readOptions("EngineClient.open()", options, engineKinds);
    if (given.host === undefined) throw new InvalidArgumentError("EngineClient.open() needs the option host");
    const tls = given.tls !== undefined || given.skipTlsVerify === true;
    return new EngineClient(parseEndpoint(given.host, { tls }), given);
  }

  /** False for an engine that is older than the containerd image store (Docker 23.0); true also where that is not known. */
  async mayUseContainerdStore(options: CallOptions = {}): Promise<boolean> {
    const { signal } = readOptions("mayUseContainerdStore()", options, callKinds);
    const offered = await this.#transport.offeredVersion(signal);
    return offered === undefined || compareApiVersions(offered, containerdStoreVersion) >= 0;
  }

  /** The version of the API in use, e.g. `1.41`. @throws EngineError `ENGINE_VERSION` below the floor. */
  apiVersion(signal?: AbortSignal): Promise<string> {
    return this.#transport.apiVersion(signal);
  }

  /** Whether the engine answers, and what it says of itself without being asked. */
  async ping(options: CallOptions = {}): Promise<Ping> {
    const { body, headers } = await this.#transport.open({
      ...readOptions("ping()", options, callKinds),
      method: "GET",
      path: "/_ping",
      unversioned: true,
    });
    await collect(body);
    const header = (name: string) => {
      const value = headers[name];
      return typeof value === "string" ? value : undefined;
    };
    return {
      apiVersion: header("api-version"),
      osType: header("ostype"),
      builderVersion: header("builder-version"),
    };
  }

  /** What the engine is, and what it can do. */
  async info(options: CallOptions = {}): Promise<SystemInfo> {
    return this.#transport.json({
      ...readOptions("info()", options, callKinds),
      method: "GET",
      path: "/info",
    });
  }

  /** The versions of the engine and of its parts. */
  async version(options: CallOptions = {}): Promise<EngineVersion> {
    return this.#transport.json({
      ...readOptions("version()", options, callKinds),
      method: "GET",
      path: "/version",
    });
  }

  /** What happens in the engine, as it happens. The call begins with the loop; leaving the loop ends it. */
  events(options: EventsOptions = {}): AsyncIterable<EngineEvent> {
    return readEvents(this.#transport, options);
  }

  /** Runs a short process in a running container to its end; see {@link RunOptions}. */
  async run(container: string, cmd: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return runInContainer(this.exec, container, cmd, options);
  }

  /** A new connection to the engine, on which nothing has been sent. Closing the client closes it too. */
  async dial(options: CallOptions = {}): Promise<Duplex> {
    return this.#transport.dial(readOptions("dial()", options, callKinds).signal);
  }

  /**
   * A connection to the BuildKit that is part of the engine: gRPC over HTTP/2. Engines of API 1.53 and later accept it
   * directly on their socket; earlier ones on a connection that is requested by `POST /grpc` (moby api, deprecated
   * since).
   *
   * @throws EngineError `ENGINE_NOT_FOUND` and the like when the engine has no BuildKit of its own.
   */
  async dialBuildkit(options: CallOptions = {}): Promise<Duplex> {
    const { signal, milliseconds } = readOptions("dialBuildkit()", options, callKinds);
    const version = await this.#transport.apiVersion(signal);
    if (this.#hasPlainSocket && compareApiVersions(version, nativeGrpcVersion) >= 0)
      return this.#transport.dial(signal);
    return this.#transport.hijack({ signal, milliseconds, method: "POST", path: "/grpc" }, "h2c");
  }

  /** Ends every call, stream and connection, and waits until the sockets are closed. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

// Over sockets and ssh the Host header has no meaning, but must be there.
function originOf(endpoint: Endpoint): string {
  if (endpoint.kind !== "tcp") return "http://localhost";
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
  return `${endpoint.tls ? "https" : "http"}://${host}:${endpoint.port}`;
}
