import { buildkitConfigDir, readAuthorities } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { type DriverKind, DriverError, defaultDriver } from "../driver/index.js";

/** Where the authorities are, relative to BuildKit's configuration directory. */
const directory = "certs/trust";

/** What a node is given, so that its daemon trusts more authorities. */
export interface NodeTrust {
  /** By path relative to the configuration directory. */
  files: ReadonlyMap<string, Uint8Array>;
  driverOpts: Readonly<Record<string, string>>;
}

/**
 * Lets a node's daemon trust the authorities in a PEM file besides the public ones: for registries, mirrors and http contexts. By
 * nothing but a file and a variable of the container, so that buildx keeps it (Go's crypto/x509 reads SSL_CERT_DIR).
 *
 * @throws InvalidArgumentError that names the file or the variable; DriverError for a driver whose daemon is somebody else's.
 */
export async function nodeTrust(
  path: string,
  {
    kind,
    driverOpts,
    signal,
  }: {
    kind: DriverKind;
    driverOpts: Readonly<Record<string, string>>;
    signal?: AbortSignal | undefined;
  },
): Promise<NodeTrust> {
  if (kind.name !== defaultDriver)
    throw new DriverError(
      "DRIVER_OPTION",
      `the ${kind.name} driver cannot make its daemon trust an authority; only ${defaultDriver} can`,
    );
  const variable = "env.SSL_CERT_DIR";
  const trusted = `/etc/ssl/certs:${buildkitConfigDir}/${directory}`;
  if ((driverOpts[variable] ?? trusted) !== trusted)
    throw new InvalidArgumentError(
      `the driver option ${variable} says already where authorities are; leave it out, or put them there instead of using trustCa`,
    );
  const authorities = await readAuthorities(path, { signal });
  return {
    files: new Map([[`${directory}/trusted.pem`, Buffer.from(authorities, "latin1")]]),
    driverOpts: { ...driverOpts, [variable]: trusted },
  };
}
