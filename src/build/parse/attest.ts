import { parseGoBool } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { formatCsv, parseFields } from "./fields.js";

/** Attestations by type: the attribute value BuildKit takes, or null for one that was turned off by name. */
export type Attestations = ReadonlyMap<string, string | null>;

/**
 * Joins `--attest`, `--provenance` and `--sbom` into one map; the first of a type wins, the shorthands first
 * (buildx util/buildflags/attests.go).
 *
 * @throws InvalidArgumentError for a missing type or a malformed field.
 */
export function parseAttestations(input: {
  attests?: readonly string[] | undefined;
  provenance?: boolean | string | undefined;
  sbom?: boolean | string | undefined;
}): Attestations {
  const texts = [
    ...(input.attests ?? []),
    ...shorthand("provenance", input.provenance),
    ...shorthand("sbom", input.sbom),
  ];
  const result = new Map<string, string | null>();
  for (const text of texts) {
    const [type, value] = parseAttestation(text);
    if (!result.has(type)) result.set(type, value);
  }
  return result;
}

function shorthand(type: string, value: boolean | string | undefined): string[] {
  if (value === undefined || value === "") return [];
  const flag = typeof value === "boolean" ? value : parseGoBool(value);
  return [flag === undefined ? `type=${type},${value as string}` : `type=${type},disabled=${!flag}`];
}

function parseAttestation(text: string): [type: string, value: string | null] {
  let type: string | undefined;
  let disabled = false;
  const attrs: [string, string][] = [];
  for (const [key, value, written] of parseFields(text)) {
    if (value === undefined)
      throw new InvalidArgumentError(
        `invalid value ${written} in attestation ${JSON.stringify(text)}, expecting key=value`,
      );
    if (key === "type") type = value;
    else if (key === "disabled") {
      const flag = parseGoBool(value);
      if (flag === undefined)
        throw new InvalidArgumentError(
          `invalid value disabled=${value} in attestation ${JSON.stringify(text)}`,
        );
      disabled = flag;
    } else attrs.push([written, value]);
  }
  if (!type) throw new InvalidArgumentError(`attestation type not specified in ${JSON.stringify(text)}`);
  if (disabled) return [type, null];
  // BuildKit takes the type from the attribute's name; buildx repeats it in front of the value all the same.
  attrs.sort(([a], [b]) => (a < b ? -1 : 1));
  return [type, formatCsv([["type", type] as const, ...attrs].map(([key, value]) => `${key}=${value}`))];
}
