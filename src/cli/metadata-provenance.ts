import type { MetadataProvenance } from "../build/index.js";
import { type Environment, parseGoBool } from "../config/index.js";

/** `BUILDX_METADATA_PROVENANCE`: `min` (the default) or `max`; what is false turns it off (buildx util/confutil/metadata.go). */
export function metadataProvenance(env: Environment): MetadataProvenance | undefined {
  const text = env["BUILDX_METADATA_PROVENANCE"] ?? "";
  if (text === "disabled" || parseGoBool(text) === false) return undefined;
  return text === "max" ? "max" : "min";
}
