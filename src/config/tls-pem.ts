import { messageOf } from "../core/index.js";

/** Authorities, certificate and private key of a TLS connection, as PEM texts. */
export interface TlsPem {
  ca?: string;
  cert?: string;
  key?: string;
}

/** The certificates of a PEM text. OpenSSL reads one up to the first that is wrong. */
const certificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * What is wrong with the files of a TLS connection is found where they are read, since OpenSSL names no file, passes over
 * authorities that it cannot read, and sends no certificate without its key. Authorities beside others that are sound are passed
 * over, as Go does it.
 *
 * @param fail makes the error for one of the texts
 * @returns the texts, as OpenSSL takes them all
 */
export function checkTlsPem(
  pem: TlsPem,
  fail: (name: keyof TlsPem, why: string, cause?: unknown) => Error,
): TlsPem {
  const { ca, cert, key } = pem;
  if (cert !== undefined && key === undefined) throw fail("key", "it is missing, but there is a certificate");
  if (cert === undefined && key !== undefined) throw fail("cert", "it is missing, but there is a key for it");
  const sound = ca === undefined ? undefined : soundAuthorities(ca, fail);
  if (cert !== undefined && key !== undefined) checkPair(cert, key, fail);
  return { ...pem, ...(sound !== undefined && { ca: sound }) };
}

type Fail = Parameters<typeof checkTlsPem>[1];

function soundAuthorities(text: string, fail: Fail): string {
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  let failure: unknown;
  const sound = (text.match(certificate) ?? []).filter((block) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      failure = error;
      return false;
    }
  });
  if (sound.length > 0) return `${sound.join("\n")}\n`;
  throw failure === undefined
    ? fail("ca", "no certificate in PEM form is in it")
    : fail("ca", `no certificate in it can be read: ${messageOf(failure)}`, failure);
}

function checkPair(cert: string, key: string, fail: Fail): void {
  const { X509Certificate, createPrivateKey } = process.getBuiltinModule("node:crypto");
  const attempt = <T>(name: "cert" | "key", what: string, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw fail(name, `${what} in it cannot be read: ${messageOf(error)}`, error);
    }
  };
  const blocks = cert.match(certificate) ?? [];
  if (blocks.length === 0) throw fail("cert", "no certificate in PEM form is in it");
  const [own] = blocks.map((block) => attempt("cert", "a certificate", () => new X509Certificate(block)));
  const privateKey = attempt("key", "the private key", () => createPrivateKey(key));
  if (!own?.checkPrivateKey(privateKey)) throw fail("key", "it is not the key of the certificate");
}
