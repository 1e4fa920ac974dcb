import { parseGoBool } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";

/** Compressions whose bytes another release of BuildKit may make in another way. */
const unsteady = new Set(["zstd", "estargz"]);

/** What an image's exporter is told so that it makes the same of the same. */
const wanted: Readonly<Record<string, string>> = {
  "rewrite-timestamp": "true",
  compression: "gzip",
  // Else layers keep the compression that an earlier build gave them.
  "force-compression": "true",
};

/**
 * Attributes of an image's exporter with those that make it reproducible. What is given counts, but for what contradicts.
 *
 * @throws InvalidArgumentError that names the attribute
 */
export function reproducibleAttrs(
  given: Readonly<Record<string, string>>,
  type: string,
): Record<string, string> {
  for (const name of ["rewrite-timestamp", "force-compression"] as const)
    if (given[name] !== undefined && parseGoBool(given[name]) !== true)
      throw new InvalidArgumentError(
        `${name}=${given[name]} of the output ${type} contradicts a reproducible build`,
      );
  // BuildKit 0.32 took OCI's for the default of an image (BK docs/build-repro.md, compatibility-version 30).
  const mediaTypes = type === "docker" ? {} : { "oci-mediatypes": "true" };
  return { ...mediaTypes, ...wanted, ...given };
}

/** What of exports may be another thing on another BuildKit all the same. */
export function unsteadyExports(
  exports: readonly { type: string; attrs: Readonly<Record<string, string>> }[],
): string[] {
  return exports.flatMap(({ type, attrs: { compression = "" } }) =>
    unsteady.has(compression)
      ? [
          `compression=${compression} of the output ${type}: another release of BuildKit may compress to other bytes; gzip and uncompressed stay the same`,
        ]
      : [],
  );
}
