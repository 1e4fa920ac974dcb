import { readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import * as tls from "node:tls";
import type { Environment } from "../config/index.js";
import { readBounded } from "../fs/index.js";

/** Where Linux distributions and BSDs keep the bundle (Go crypto/x509 root_linux.go, root_bsd.go). */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
/** In bytes. Those of distributions have a quarter of a megabyte. */
const largestBundle = 16 << 20;
const directories = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/**
 * PEM texts of the certificates that the system trusts: `SSL_CERT_FILE` or the distribution's bundle, with
 * `SSL_CERT_DIR`; Node's own where the system has none. `NODE_EXTRA_CA_CERTS` comes on top, since Node leaves it out
 * once certificates are given explicitly. Files that cannot be read are passed over, as Go does.
 */
export async function systemCertificates(env: Environment): Promise<string[]> {
  const found: string[] = [];
  for (const path of env["SSL_CERT_FILE"] ? [env["SSL_CERT_FILE"]] : bundles) {
    const pem = await readPem(path);
    if (pem === undefined) continue;
    found.push(...pem);
    break;
  }
  const listed = env["SSL_CERT_DIR"]?.split(delimiter);
  // The bundle holds what the default directories do; hundreds of files need not be read for nothing.
  const wanted = listed ?? (found.length === 0 ? directories : []);
  for (const directory of wanted.filter((directory) => directory !== "")) {
    const names = await readdir(directory).catch(() => []);
    for (const name of names) {
      const pem = await readPem(join(directory, name));
      if (pem !== undefined) found.push(...pem);
    }
  }
  if (found.length === 0) found.push(...ownCertificates());
  const extra = env["NODE_EXTRA_CA_CERTS"] ? await readPem(env["NODE_EXTRA_CA_CERTS"]) : undefined;
  return extra === undefined ? found : [...found, ...extra];
}

/** A certificate in PEM, without what may stand around it. */
const certificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** The certificates of a file one by one: OpenSSL reads a text up to the first that is wrong, Go passes over that. */
async function readPem(path: string): Promise<string[] | undefined> {
  try {
    const text = (await readBounded(path, { limit: largestBundle })).toString("utf8");
    return text.match(certificate) ?? undefined;
  } catch {
    return undefined;
  }
}

/** The operating system's certificates where Node can tell (22.15), else those that Node brings. */
function ownCertificates(): readonly string[] {
  const get = (tls as { getCACertificates?: (type: "system") => string[] }).getCACertificates;
  const system = get?.("system") ?? [];
  return system.length > 0 ? system : tls.rootCertificates;
}
