import { once } from "node:events";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { type SecureContextOptions, connect as connectTls } from "node:tls";
import {
  type Dial,
  InvalidArgumentError,
  abortError,
  holdStream,
  linkSignal,
  messageOf,
} from "../core/index.js";
import { DriverError } from "./driver-error.js";

/** A connection that is not made within this time will not be, in ms. */
const connectMilliseconds = 30_000;

/** TLS of {@link dialAddress}: PEM texts, and the name to check the certificate against. */
export type AddressTls = Pick<SecureContextOptions, "ca" | "cert" | "key"> & { servername?: string };

/**
 * Dials a buildkitd by its address: `unix:///path` or `tcp://host:port`, the latter with TLS if given. The certificate is
 * always checked, and there is no falling back to plain text (SEC-36).
 *
 * @throws InvalidArgumentError for an address of another form; DriverError `DRIVER_CONNECT` when nobody answers.
 */
export function dialAddress(address: string, tls?: AddressTls): Dial {
  const open = opener(address, tls);
  return async (signal) => {
    using linked = linkSignal(signal, {
      milliseconds: connectMilliseconds,
      what: `connecting to ${address}`,
    });
    // It may break before its caller listens.
    const socket = holdStream(open());
    try {
      await once(socket, tls ? "secureConnect" : "connect", { signal: linked.signal });
      return socket;
    } catch (error) {
      socket.destroy();
      if (signal?.aborted) throw abortError(signal);
      const cause = linked.signal.aborted ? abortError(linked.signal) : error;
      throw new DriverError(
        "DRIVER_CONNECT",
        `cannot connect to buildkitd at ${address}: ${messageOf(cause)}`,
        {
          cause,
        },
      );
    }
  };
}

function opener(address: string, tls: AddressTls | undefined): () => Socket {
  const invalid = () =>
    new InvalidArgumentError(
      `invalid address ${JSON.stringify(address)}, expecting unix:///path or tcp://host:port`,
    );
  if (address.startsWith("unix://")) {
    const path = address.slice("unix://".length);
    if (!path.startsWith("/")) throw invalid();
    return () => connectPlain({ path, allowHalfOpen: true });
  }
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "tcp:" || url.hostname === "" || url.port === "") throw invalid();
  const to = { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) };
  if (!tls) return () => connectPlain({ ...to, allowHalfOpen: true });
  // A name to be asked for must be one (RFC 6066); the certificate is checked against the address either way.
  const name = isIP(to.host) === 0 ? { servername: to.host } : {};
  return () => connectTls({ ...name, ...to, ...tls, minVersion: "TLSv1.2", ALPNProtocols: ["h2"] });
}
