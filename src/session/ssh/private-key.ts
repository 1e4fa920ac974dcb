import { type JsonWebKey, type KeyObject, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { textOf } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { SshReader, sshMpint, sshString } from "./agent-protocol.js";

/** A private key that can sign for ssh. */
export interface SshKey {
  /** The public key as ssh writes it (RFC 4253, 6.6). */
  readonly blob: Buffer;
  /** Signs as an agent does; `flags` choose the hash of RSA keys (RFC 8332: 2 SHA-256, 4 SHA-512, else SHA-1). */
  sign(data: Buffer, flags: number): Buffer;
}

const curves: Readonly<Record<string, { name: string; hash: string }>> = {
  "P-256": { name: "nistp256", hash: "sha256" },
  "P-384": { name: "nistp384", hash: "sha384" },
  "P-521": { name: "nistp521", hash: "sha512" },
};

/**
 * Reads an unencrypted private key (Ed25519, RSA or ECDSA) in OpenSSH's format or as PEM.
 * @param name the file, for messages
 * @throws InvalidArgumentError
 */
export function parsePrivateKey(text: Buffer, name: string): SshKey {
  try {
    const pem = textOf(text);
    return keyOf(pem.includes("BEGIN OPENSSH PRIVATE KEY") ? parseOpenssh(pem) : createPrivateKey(pem));
  } catch (cause) {
    if (cause instanceof InvalidArgumentError) throw cause;
    const code: unknown = (cause as { code?: unknown }).code;
    const encrypted = code === "ERR_MISSING_PASSPHRASE" || text.includes("ENCRYPTED");
    throw new InvalidArgumentError(
      `failed to parse ssh key ${name}${encrypted ? ": it is protected by a passphrase" : ""}`,
      { cause },
    );
  }
}

function keyOf(key: KeyObject): SshKey {
  const jwk = createPublicKey(key).export({ format: "jwk" });
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519") {
    const type = sshString("ssh-ed25519");
    return {
      blob: Buffer.concat([type, sshString(part(jwk.x))]),
      sign: (data) => Buffer.concat([type, sshString(sign(null, data, key))]),
    };
  }
  if (jwk.kty === "RSA") {
    return {
      blob: Buffer.concat([sshString("ssh-rsa"), sshMpint(part(jwk.e)), sshMpint(part(jwk.n))]),
      sign: (data, flags) => {
        const [name, hash] = rsaAlgorithm(flags);
        return Buffer.concat([sshString(name), sshString(sign(hash, data, key))]);
      },
    };
  }
  const curve = jwk.kty === "EC" ? curves[jwk.crv ?? ""] : undefined;
  if (!curve) throw new InvalidArgumentError(`unsupported ssh key type ${jwk.crv ?? jwk.kty ?? ""}`);
  const type = sshString(`ecdsa-sha2-${curve.name}`);
  const point = Buffer.concat([Buffer.from([4]), part(jwk.x), part(jwk.y)]);
  return {
    blob: Buffer.concat([type, sshString(curve.name), sshString(point)]),
    sign: (data) => {
      const pair = sign(curve.hash, data, { key, dsaEncoding: "ieee-p1363" });
      const half = pair.length / 2;
      const numbers = [sshMpint(pair.subarray(0, half)), sshMpint(pair.subarray(half))];
      return Buffer.concat([type, sshString(Buffer.concat(numbers))]);
    },
  };
}

function rsaAlgorithm(flags: number): [name: string, hash: string] {
  if (flags & 4) return ["rsa-sha2-512", "sha512"];
  if (flags & 2) return ["rsa-sha2-256", "sha256"];
  return ["ssh-rsa", "sha1"];
}

/** Reads OpenSSH's own format (openssh PROTOCOL.key), which node:crypto does not know. */
function parseOpenssh(pem: string): KeyObject {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(pem)?.[1] ?? "";
  const bytes = Buffer.from(body, "base64");
  const magic = "openssh-key-v1\0";
  if (bytes.toString("latin1", 0, magic.length) !== magic) throw new Error("not an OpenSSH key");
  const outer = new SshReader(bytes.subarray(magic.length));
  const cipher = outer.string().toString();
  outer.string();
  outer.string();
  if (cipher !== "none") {
    throw Object.assign(new Error(`encrypted with ${cipher}`), { code: "ERR_MISSING_PASSPHRASE" });
  }
  if (outer.uint32() !== 1) throw new Error("not exactly one key");
  outer.string();
  const inner = new SshReader(outer.string());
  if (inner.uint32() !== inner.uint32()) throw new Error("check numbers differ");
  const type = inner.string().toString();
  return createPrivateKey({ key: opensshFields(type, inner), format: "jwk" });
}

function opensshFields(type: string, fields: SshReader): JsonWebKey {
  if (type === "ssh-ed25519") {
    const x = fields.string();
    return { kty: "OKP", crv: "Ed25519", x: text(x), d: text(fields.string().subarray(0, 32)) };
  }
  if (type === "ssh-rsa") {
    const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => unsigned(fields.string())) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    const dp = text(modulo(d, p));
    const dq = text(modulo(d, q));
    return { kty: "RSA", n: text(n), e: text(e), d: text(d), p: text(p), q: text(q), dp, dq, qi: text(qi) };
  }
  const curve = Object.entries(curves).find(([, { name }]) => type === `ecdsa-sha2-${name}`);
  if (!curve) throw new InvalidArgumentError(`unsupported ssh key type ${type}`);
  fields.string();
  const point = fields.string();
  const size = (point.length - 1) / 2;
  const d = unsigned(fields.string());
  const padded = Buffer.concat([Buffer.alloc(Math.max(0, size - d.length)), d]);
  return {
    kty: "EC",
    crv: curve[0],
    x: text(point.subarray(1, 1 + size)),
    y: text(point.subarray(1 + size)),
    d: text(padded),
  };
}

/** d mod (prime - 1). */
function modulo(d: Buffer, prime: Buffer): Buffer {
  const number = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex") || "0"}`);
  const hex = (number(d) % (number(prime) - 1n)).toString(16);
  return Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex");
}

function unsigned(mpint: Buffer): Buffer {
  return mpint[0] === 0 ? mpint.subarray(1) : mpint;
}

function text(bytes: Buffer): string {
  return bytes.toString("base64url");
}

function part(value: string | undefined): Buffer {
  return Buffer.from(value ?? "", "base64url");
}
