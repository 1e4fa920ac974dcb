import { connect as connectPlain, isIP, type Socket } from "node:net";
import { type SecureContextOptions, connect as connectTls } from "node:tls";
import { pipeRefusal } from "../../config/index.js";
import { type Dial, connectSocket, messageOf, throwIfAborted } from "../../core/index.js";
import { DriverError } from "../driver-error.js";
import type { DaemonAddress } from "./address.js";

/** A connection that is not made within this time will not be, in ms. */
const connectMilliseconds = 30_000;

/** TLS of a daemon's address: PEM texts, and the name to check the certificate against. */
export type AddressTls = Pick<SecureContextOptions, "ca" | "cert" | "key"> & { servername?: string };

/**
 * Dials a buildkitd's socket, with TLS if given. The certificate is always checked, and there is no falling back to plain text
 * (SEC-36). The dial throws DriverError `DRIVER_CONNECT` when nobody answers.
 *
 * @param address as the user wrote it, for messages.
 */
export function dialDaemonSocket(
  address: string,
  to: Extract<DaemonAddress, { scheme: "unix" | "npipe" | "tcp" }>,
  readTls?: () => Promise<AddressTls>,
): Dial {
  return async (signal) => {
    try {
      const tls = await readTls?.();
      return await connectSocket(() => open(to, tls), {
        ready: tls ? "secureConnect" : "connect",
        milliseconds: connectMilliseconds,
        what: `connecting to ${address}`,
        signal,
      });
    } catch (error) {
      throwIfAborted(signal);
      throw new DriverError(
        "DRIVER_CONNECT",
        `cannot connect to buildkitd at ${address}: ${messageOf(error)}`,
        { cause: error },
      );
    }
  };
}

function open(
  to: Extract<DaemonAddress, { scheme: "unix" | "npipe" | "tcp" }>,
  tls: AddressTls | undefined,
): Socket {
  const refusal = to.scheme === "npipe" ? pipeRefusal() : undefined;
  if (refusal !== undefined) throw new Error(refusal);
  if (to.scheme !== "tcp") return connectPlain({ path: to.path, allowHalfOpen: true });
  const { host, port } = to;
  if (!tls) return connectPlain({ host, port, allowHalfOpen: true });
  // A name to be asked for must be one (RFC 6066); the certificate is checked against the address either way.
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ ...name, host, port, ...tls, minVersion: "TLSv1.2", ALPNProtocols: ["h2"] });
}
