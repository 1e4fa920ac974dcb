import { GrpcError, grpcCodes } from "../../http2/index.js";
import { isDigest } from "../../registry/index.js";

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
  if (!isDigest(text)) {
    throw new GrpcError(grpcCodes.invalidArgument, `${JSON.stringify(text.slice(0, 200))} is not a digest`);
  }
  const [algorithm = "", hex = ""] = text.split(":");
  return { algorithm, hex };
}
