import { checkTlsPem } from "../../config/index.js";
import { FileReadError, readBounded } from "../../fs/index.js";
import { DriverError } from "../driver-error.js";
import type { AddressTls } from "./dial-address.js";
import type { RemoteTlsFiles } from "./options.js";

/** Far more than any chain of certificates has. */
const limit = 4 * 1024 * 1024;

const whats = { ca: "ca certificate", cert: "certificate", key: "key" };

/**
 * Reads the files that a TLS connection needs.
 *
 * @throws DriverError `DRIVER_OPTION` that names the file.
 */
export async function readTlsFiles({ cacert, cert, key, servername }: RemoteTlsFiles): Promise<AddressTls> {
  const [ca, certificate, privateKey] = await Promise.all([
    readPem(whats.ca, cacert),
    readPem(whats.cert, cert),
    readPem(whats.key, key),
  ]);
  const paths = { ca: cacert, cert, key };
  const pem = checkTlsPem(
    {
      ...(ca !== undefined && { ca }),
      ...(certificate !== undefined && { cert: certificate }),
      ...(privateKey !== undefined && { key: privateKey }),
    },
    (name, why, cause) =>
      new DriverError("DRIVER_OPTION", `${whats[name]} ${paths[name]} cannot be used: ${why}`, { cause }),
  );
  return {
    ...pem,
    ...(servername !== undefined && servername !== "" && { servername }),
  };
}

async function readPem(what: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return (await readBounded(path, { limit })).toString("latin1");
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw new DriverError("DRIVER_OPTION", `could not read ${what} ${path}: ${error.reason}`, {
      cause: error,
    });
  }
}
