import { parseCall } from "../build/index.js";
import { parseGoBool } from "../config/index.js";
import type { ReadBakeOptions } from "./read-bake.js";

/** What the short options of all targets stand for among changes of `--set`. */
export function shorthands(options: ReadBakeOptions): string[] {
  const { push, load, noCache, pull, sbom, provenance, call } = options;
  const name = parseCall(call)?.name;
  return [
    ...(push ? ["*.push=true"] : []),
    ...(load ? ["*.load=true"] : []),
    ...(name === undefined ? [] : [`*.call=${name}`]),
    ...(noCache === undefined ? [] : [`*.no-cache=${noCache}`]),
    ...(pull === undefined ? [] : [`*.pull=${pull}`]),
    ...attestation("sbom", sbom),
    ...attestation("provenance", provenance),
  ];
}

function attestation(type: string, value: boolean | string | undefined): string[] {
  if (value === undefined || value === "") return [];
  const isOn = typeof value === "boolean" ? value : parseGoBool(value);
  return [`*.attest=type=${type},${isOn === undefined ? String(value) : `disabled=${!isOn}`}`];
}
