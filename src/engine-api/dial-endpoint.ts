import { stat } from "node:fs/promises";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { pipeRefusal } from "../config/index.js";
import { type Dial, connectSocket, messageOf, throwIfAborted } from "../core/index.js";
import type { Endpoint } from "./endpoint.js";
import { EngineError } from "./errors.js";
import { keepReading } from "./keep-reading.js";
import { dialSsh } from "./ssh.js";

const connectMilliseconds = 30_000;
const keepAliveMilliseconds = 30_000;
// Missing in the types of net.connect.
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
  /** Told, at most once, of something about the connection that a careful user would want to know; what it throws, or rejects with, fails the dial. */
  onWarning?: ((text: string) => unknown) | undefined;
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
  let isUntold = options.skipTlsVerify === true;
  const secure: tls.ConnectionOptions = {
    ...tcp,
    ...options.tls,
    ...(net.isIP(host) === 0 && { servername: host }),
    rejectUnauthorized: !options.skipTlsVerify,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
  };
  return async (signal) => {
    if (isUntold) {
      isUntold = false;
      await options.onWarning?.(`the certificate of ${options.host} is not verified`);
    }
    return connect(options.host, () => tls.connect(secure), "secureConnect", signal);
  };
}

/** @throws EngineError `ENGINE_CONNECT`, AbortedError */
async function connect(
  host: string,
  open: () => net.Socket,
  ready: "connect" | "secureConnect",
  signal: AbortSignal | undefined,
): Promise<Duplex> {
  const options = { ready, milliseconds: connectMilliseconds, what: "connecting", signal };
  try {
    return keepReading(await connectSocket(open, options));
  } catch (error) {
    throwIfAborted(signal);
    throw connectError(host, error);
  }
}

function connectError(host: string, cause: unknown): EngineError {
  const code = (cause as NodeJS.ErrnoException).code;
  const message =
    code === "EACCES" || code === "EPERM"
      ? `permission denied while trying to connect to the Docker daemon at ${host}`
      : `cannot connect to the Docker daemon at ${host}: is the docker daemon running? (${messageOf(cause)})`;
  return new EngineError("ENGINE_CONNECT", message, { cause });
}

async function warnOfForeignOwner(path: string, warn: (text: string) => unknown): Promise<void> {
  const own = process.getuid?.();
  if (own === undefined) return;
  // Connecting tells better what is wrong with the path.
  const owner = await stat(path).catch(() => undefined);
  if (owner && owner.uid !== 0 && owner.uid !== own)
    await warn(`the engine's socket ${path} belongs to another user (uid ${owner.uid})`);
}
