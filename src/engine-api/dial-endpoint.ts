import { stat } from "node:fs/promises";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { pipeRefusal } from "../config/index.js";
import { type Dial, abortError, holdStream, messageOf, throwIfAborted } from "../core/index.js";
import type { Endpoint } from "./endpoint.js";
import { EngineError } from "./errors.js";
import { keepReading } from "./keep-reading.js";
import { dialSsh } from "./ssh.js";

const connectMilliseconds = 30_000;
const keepAliveMilliseconds = 30_000;
// The types of net.connect do not know of it.
const buffers = { highWaterMark: 64 * 1024 };

/** What a TLS connection to an engine needs, as PEM texts. */
export interface EngineTls {
  ca?: string;
  cert?: string;
  key?: string;
}

/** Options of {@link dialEndpoint}. */
export interface DialEndpointOptions {
  /** The endpoint as the user wrote it, for messages. */
  host: string;
  tls?: EngineTls | undefined;
  /** Accept any certificate. */
  skipTlsVerify?: boolean | undefined;
  /** Told, at most once, of something about the connection that a careful user would want to know. */
  onWarning?: ((text: string) => void) | undefined;
}

/** How to open one connection to an engine. TLS is at least 1.2 and never falls back to plain text (SEC-36). */
export function dialEndpoint(endpoint: Endpoint, options: DialEndpointOptions): Dial {
  switch (endpoint.kind) {
    case "ssh":
      return dialSsh(endpoint);
    case "unix": {
      let checked = false;
      return async (signal) => {
        if (!checked && options.onWarning) {
          checked = true;
          await warnOfForeignOwner(endpoint.path, options.onWarning);
        }
        return connect(
          options.host,
          () => net.connect({ path: endpoint.path, ...buffers }),
          "connect",
          signal,
        );
      };
    }
    case "npipe":
      return (signal) => {
        const refusal = pipeRefusal();
        if (refusal !== undefined) return Promise.reject(connectError(options.host, new Error(refusal)));
        return connect(
          options.host,
          () => net.connect({ path: endpoint.path, ...buffers }),
          "connect",
          signal,
        );
      };
    default:
      return dialTcp(endpoint, options);
  }
}

function dialTcp(endpoint: Extract<Endpoint, { kind: "tcp" }>, options: DialEndpointOptions): Dial {
  const { host, port } = endpoint;
  const tcp = {
    host,
    port,
    ...buffers,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMilliseconds,
  };
  if (!endpoint.tls) return (signal) => connect(options.host, () => net.connect(tcp), "connect", signal);
  if (options.skipTlsVerify) options.onWarning?.(`the certificate of ${options.host} is not verified`);
  const secure: tls.ConnectionOptions = {
    ...tcp,
    ...options.tls,
    ...(net.isIP(host) === 0 && { servername: host }),
    rejectUnauthorized: !options.skipTlsVerify,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
  };
  return (signal) => connect(options.host, () => tls.connect(secure), "secureConnect", signal);
}

function connect(
  host: string,
  create: () => net.Socket,
  ready: "connect" | "secureConnect",
  signal: AbortSignal | undefined,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    throwIfAborted(signal);
    const socket = create();
    const timer = setTimeout(() => {
      fail(new Error(`no answer within ${connectMilliseconds / 1000} s`));
    }, connectMilliseconds);
    const release = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", fail).off("close", onClose).off(ready, onReady);
    };
    const fail = (error: Error) => {
      release();
      socket.on("error", () => {}).destroy();
      reject(connectError(host, error));
    };
    const onClose = () => fail(new Error("the connection was closed"));
    const onAbort = () => {
      release();
      socket.on("error", () => {}).destroy();
      reject(abortError(signal as AbortSignal));
    };
    const onReady = () => {
      release();
      // It may break before its caller listens.
      resolve(holdStream(keepReading(socket)));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("error", fail).once("close", onClose).once(ready, onReady);
  });
}

function connectError(host: string, cause: Error): EngineError {
  const code = (cause as NodeJS.ErrnoException).code;
  const message =
    code === "EACCES" || code === "EPERM"
      ? `permission denied while trying to connect to the Docker daemon at ${host}`
      : `cannot connect to the Docker daemon at ${host}: is the docker daemon running? (${messageOf(cause)})`;
  return new EngineError("ENGINE_CONNECT", message, { cause });
}

async function warnOfForeignOwner(path: string, warn: (text: string) => void): Promise<void> {
  const own = process.getuid?.();
  if (own === undefined) return;
  try {
    const { uid } = await stat(path);
    if (uid !== 0 && uid !== own) warn(`the engine's socket ${path} belongs to another user (uid ${uid})`);
  } catch {
    // Connecting tells better what is wrong with the path.
  }
}
