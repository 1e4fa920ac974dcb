import { FileReadError, readBounded } from "../../fs/index.js";
import { DriverError } from "../driver-error.js";
import type { AddressTls } from "./dial-address.js";
import type { RemoteTlsFiles } from "./options.js";

/** Far more than any chain of certificates has. */
const limit = 4 * 1024 * 1024;

/**
 * Reads the files that a TLS connection needs.
 *
 * @throws DriverError `DRIVER_OPTION` that names the file.
 */
export async function readTlsFiles({ cacert, cert, key, servername }: RemoteTlsFiles): Promise<AddressTls> {
  const [ca, certificate, privateKey] = await Promise.all([
    readPem("ca certificate", cacert),
    readPem("certificate", cert),
    readPem("key", key),
  ]);
  return {
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(privateKey !== undefined && { key: privateKey }),
    ...(servername !== undefined && servername !== "" && { servername }),
  };
}

async function readPem(what: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = (await readBounded(path, { limit })).toString("latin1");
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw new DriverError("DRIVER_OPTION", `could not read ${what} ${path}: ${error.reason}`, {
      cause: error,
    });
  }
  if (!text.includes("-----BEGIN "))
    throw new DriverError("DRIVER_OPTION", `${what} ${path} has no PEM block`);
  return text;
}
