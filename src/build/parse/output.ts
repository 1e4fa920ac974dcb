import type { Writable } from "node:stream";
import type { WritableStream } from "node:stream/web";
import { InvalidArgumentError } from "../../core/index.js";
import { csv, parseFields } from "./fields.js";

/** Exporters that a build can be asked for. `registry` is `image` with `push=true`; `cacheonly` keeps only the cache. */
export type OutputType = "local" | "tar" | "oci" | "docker" | "image" | "registry" | "cacheonly";

/** One place where the result of a build goes. */
export interface Output {
  type: OutputType;
  /** A path, `-` for standard output, `memory()`, or a stream (tar, oci, docker). A docker output without one is loaded. */
  dest?: string | Writable | WritableStream;
  /** Exporter attributes, as BuildKit names them. */
  attrs?: Readonly<Record<string, string | undefined>>;
}

const outputTypes: readonly string[] = ["local", "tar", "oci", "docker", "image", "registry", "cacheonly"];

/**
 * Parses a value of `--output`: `type=TYPE[,dest=PATH][,attr=value…]`, or a lone word: a directory, or `-` for a tar on
 * standard output (buildx util/buildflags/export.go).
 *
 * @throws InvalidArgumentError for a field without `=`, a missing or an unknown type.
 */
export function parseOutput(text: string): Output {
  const fields = csv(text);
  const [only] = fields;
  if (fields.length === 1 && only !== undefined && only === text && !only.startsWith("type="))
    return only === "-" ? { type: "tar", dest: "-" } : { type: "local", dest: only };
  let type: string | undefined;
  let dest: string | undefined;
  const attrs = new Map<string, string>();
  for (const [key, value, written] of parseFields(text)) {
    if (value === undefined)
      throw new InvalidArgumentError(
        `invalid value ${written} in output ${JSON.stringify(text)}, expecting key=value`,
      );
    if (key === "type") type = value;
    else if (key === "dest") dest = value;
    else attrs.set(key, value);
  }
  if (type === undefined || type === "")
    throw new InvalidArgumentError(`type is required for output ${JSON.stringify(text)}`);
  return { type: outputTypeOf(type), ...(dest !== undefined && { dest }), attrs: Object.fromEntries(attrs) };
}

/** @throws InvalidArgumentError for a text that names no exporter */
export function outputTypeOf(text: string): OutputType {
  if (isOutputType(text)) return text;
  throw new InvalidArgumentError(
    `unknown output type ${JSON.stringify(text)}, expecting one of ${outputTypes.join(", ")}`,
  );
}

/** Whether a text names an exporter. */
export function isOutputType(text: string): text is OutputType {
  return outputTypes.includes(text);
}
