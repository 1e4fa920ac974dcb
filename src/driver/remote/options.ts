import { isAbsolute } from "node:path";
import { parseGoBool } from "../../config/index.js";
import { DriverError } from "../driver-error.js";
import { type RemoteOpts, unknownOption } from "../driver-opts.js";
import type { NodeSettings } from "../driver-kind.js";

/** Driver options of a remote node, parsed. Absent `tls`: none is spoken. */
export interface RemoteOptions {
  defaultLoad: boolean;
  tls?: RemoteTlsFiles;
}

/** Files that a TLS connection needs, by absolute paths, and the name that the certificate must have. */
export interface RemoteTlsFiles {
  cacert: string;
  cert?: string;
  key?: string;
  /** Default: the host of the endpoint. */
  servername?: string;
}

const tlsNames: readonly (keyof RemoteTlsFiles)[] = ["cacert", "cert", "key", "servername"];
const tlsOptions: ReadonlySet<string> = new Set(tlsNames);

/** Names of the options, as `--driver-opt` takes them. */
export const remoteOptionNames: readonly (keyof RemoteOpts)[] = [...tlsNames, "default-load"];

/**
 * Parses `--driver-opt` values as buildx v0.38 driver/remote/factory.go does.
 *
 * @throws DriverError `DRIVER_OPTION` that names the option.
 */
export function parseRemoteOptions(driverOpts: Readonly<Record<string, string>>): RemoteOptions {
  const tls = new Map<string, string>();
  let defaultLoad = false;
  for (const [name, value] of Object.entries(driverOpts)) {
    if (name === "default-load") {
      const flag = parseGoBool(value);
      if (flag === undefined)
        throw invalid(`invalid value "${value}" of driver option default-load: not a boolean`);
      defaultLoad = flag;
    } else if (tlsOptions.has(name)) {
      if (name !== "servername" && !isAbsolute(value))
        throw invalid(`non-absolute path '${value}' provided for ${name}`);
      tls.set(name, value);
    } else throw unknownOption(name, "remote", remoteOptionNames);
  }
  if (tls.size === 0) return { defaultLoad };
  const missing = [
    ...(tls.has("cacert") ? [] : ["cacert"]),
    ...(tls.has("cert") && !tls.has("key") ? ["key"] : []),
    ...(tls.has("key") && !tls.has("cert") ? ["cert"] : []),
  ];
  if (missing.length > 0) throw invalid(`tls enabled, but missing keys ${missing.join(", ")}`);
  return { defaultLoad, tls: Object.fromEntries(tls) as unknown as RemoteTlsFiles };
}

/**
 * A daemon that somebody else runs takes no configuration from here.
 *
 * @throws DriverError `DRIVER_OPTION`
 */
export function checkRemoteSettings({ driverOpts, flags, files, endpoint }: NodeSettings): void {
  if (files.size > 0) throw invalid("setting config file is not supported for remote driver");
  if (flags.length > 0) throw invalid("setting buildkit flags is not supported for remote driver");
  const { tls } = parseRemoteOptions(driverOpts);
  // What a user took for encrypted must not go out in plain text.
  if (tls && !endpoint.startsWith("tcp://"))
    throw invalid(`TLS is only spoken with a tcp:// address, not with ${endpoint}`);
}

function invalid(message: string): DriverError {
  return new DriverError("DRIVER_OPTION", message);
}
