import { InvalidArgumentError, messageOf } from "../core/index.js";
import { FileReadError, readBounded } from "../fs/index.js";

/** Longest file of authorities, bytes: with the public ones it must fit into a secret, of which 500 KiB are possible. */
const longest = 250 << 10;

/**
 * The certificates of authorities in a PEM file of at most `limit` bytes, as text.
 *
 * @throws InvalidArgumentError that names the file, for one that cannot be read or holds no certificate.
 */
export async function readAuthorities(
  path: string,
  { signal, limit = longest }: { signal?: AbortSignal | undefined; limit?: number } = {},
): Promise<string> {
  let text: string;
  try {
    text = (await readBounded(path, { limit, special: "read", signal })).toString("latin1");
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw unusable(path, error.reason, error);
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw unusable(path, "no certificate in PEM form is in it");
  // Loaded for the few who ask for it.
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  for (const block of blocks)
    try {
      void new X509Certificate(block);
    } catch (error) {
      throw unusable(path, `a certificate in it cannot be read: ${messageOf(error)}`, error);
    }
  return `${blocks.join("\n")}\n`;
}

/** The given authorities and the public ones that Node knows, for what takes a file instead of its own. */
export function withPublicAuthorities(authorities: string): string {
  const { rootCertificates } = process.getBuiltinModule("node:tls");
  return `${authorities}${rootCertificates.join("\n")}\n`;
}

function unusable(path: string, why: string, cause?: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`failed to read the authorities ${path}: ${why}`, { cause });
}
