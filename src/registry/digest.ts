import { createHash, type Hash } from "node:crypto";

/** Hex digits by algorithm (opencontainers/go-digest). */
const lengths = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
]);

/** True for a well-formed digest of a known algorithm: `sha256:` and 64 lower-case hex digits. */
export function isDigest(text: string): boolean {
  const match = /^([a-z0-9]+):([a-f0-9]+)$/.exec(text);
  return match?.[1] !== undefined && match[2] !== undefined && lengths.get(match[1]) === match[2].length;
}

/** `sha256:…` of the bytes. */
export function digestOf(data: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** Checks bytes against a digest as they pass: `update` them all, then ask `matches`. */
export class DigestVerifier {
  readonly #expected: string;
  readonly #hash: Hash;
  readonly #algorithm: string;

  /** @throws RangeError when the digest is malformed; check it with {@link isDigest} first. */
  constructor(expected: string) {
    if (!isDigest(expected)) throw new RangeError(`invalid digest ${JSON.stringify(expected)}`);
    this.#expected = expected;
    this.#algorithm = expected.slice(0, expected.indexOf(":"));
    this.#hash = createHash(this.#algorithm);
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  /** True when the bytes so far have the digest. Ends the verifier. */
  matches(): boolean {
    return `${this.#algorithm}:${this.#hash.digest("hex")}` === this.#expected;
  }
}
