import { createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";

/** The key pair by which a daemon recognises a client that has access to a registry. */
export interface AuthorityKey {
  /** 32 bytes. */
  readonly publicKey: Buffer;
  /** Ed25519 signature followed by the payload (NaCl `crypto_sign`). */
  sign(payload: Uint8Array): Buffer;
}

/** DER of a PKCS#8 Ed25519 private key up to its 32 bytes of seed (RFC 8410). */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * The key for one registry and one daemon: Ed25519 from HMAC-SHA256 of the client's seed under the daemon's salt. All
 * clients without a secret share a key, since they may share anonymous tokens (buildkit authprovider
 * `getAuthorityKey`).
 */
export function authorityKey(salt: Uint8Array, seed: Uint8Array | undefined): AuthorityKey {
  const mac = createHmac("sha256", salt);
  if (seed) mac.update(seed);
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8Head, mac.digest()]),
    format: "der",
    type: "pkcs8",
  });
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return {
    publicKey: Buffer.from(x, "base64url"),
    sign: (payload) => Buffer.concat([sign(null, payload, key), payload]),
  };
}
