import { GrpcError, grpcCodes } from "../../http2/index.js";

const lengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** A digest taken apart; both parts are safe as file names. */
export interface Digest {
  algorithm: string;
  hex: string;
}

/**
 * Reads a digest such as `sha256:…` (OCI image-spec 1.1, descriptor.md; the algorithms that Go's digest package knows).
 * @throws GrpcError InvalidArgument
 */
export function parseDigest(text: string): Digest {
  const [algorithm = "", hex = "", ...rest] = text.split(":");
  if (rest.length > 0 || hex.length !== lengths[algorithm] || !/^[0-9a-f]+$/.test(hex)) {
    throw new GrpcError(grpcCodes.invalidArgument, `${JSON.stringify(text.slice(0, 200))} is not a digest`);
  }
  return { algorithm, hex };
}
