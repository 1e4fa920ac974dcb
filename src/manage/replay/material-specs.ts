import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { InvalidArgumentError } from "../../core/index.js";
import { parseImageLocation } from "../image-tools/image-location.js";

/** A directory with blobs: an OCI layout, or what has `blobs/sha256/…` like one. */
export interface MaterialStore {
  path: string;
  isLayout: boolean;
}

/** Where materials may come from. */
export interface MaterialSpecs {
  /** In the order of asking. */
  stores: readonly MaterialStore[];
  /** By URI or digest; a store, or a file that is the material itself. */
  overrides: ReadonlyMap<string, MaterialStore | { file: string }>;
  /** From where they were recorded, when they are nowhere else. */
  recorded: boolean;
}

/**
 * Reads `--materials`: `provenance`, `oci-layout://PATH[:TAG]`, an absolute path, or `KEY=STORE` (buildx v0.38 replay/materials.go).
 *
 * @throws InvalidArgumentError
 */
export async function parseMaterialSpecs(texts: readonly string[]): Promise<MaterialSpecs> {
  const specs = texts.map((text) => text.trim()).filter((text) => text !== "");
  const stores: MaterialStore[] = [];
  const overrides = new Map<string, MaterialStore | { file: string }>();
  for (const text of specs) {
    if (text === "provenance") continue;
    if (isPlace(text)) {
      stores.push(await storeOf(text));
      continue;
    }
    if (!text.includes("="))
      throw new InvalidArgumentError(`unrecognized --materials spec ${JSON.stringify(text)}`);
    const at = splitAt(text);
    if (at < 0)
      throw new InvalidArgumentError(
        `malformed --materials override ${JSON.stringify(text)} (want <key>=<value>)`,
      );
    overrides.set(text.slice(0, at), await placeOf(text.slice(at + 1)));
  }
  return { stores, overrides, recorded: specs.length === 0 || specs.includes("provenance") };
}

function isPlace(text: string): boolean {
  return text.startsWith("oci-layout://") || isAbsolute(text);
}

/** A URI may have equals signs of its own; the one counts that a place stands behind. */
function splitAt(text: string): number {
  for (let at = text.indexOf("=", 1); at > 0; at = text.indexOf("=", at + 1))
    if (isPlace(text.slice(at + 1))) return at;
  return -1;
}

async function storeOf(text: string): Promise<MaterialStore> {
  if (text.startsWith("oci-layout://")) {
    const location = parseImageLocation(text);
    const path = location.kind === "layout" ? location.path : "";
    await requireDirectory(path, text);
    return { path, isLayout: true };
  }
  await requireDirectory(text, text);
  return { path: text, isLayout: false };
}

async function placeOf(text: string): Promise<MaterialStore | { file: string }> {
  if (text.startsWith("oci-layout://")) return storeOf(text);
  const entry = await stat(text).catch(() => undefined);
  if (!entry) throw new InvalidArgumentError(`--materials path ${JSON.stringify(text)} is not there`);
  if (entry.isDirectory()) return { path: text, isLayout: false };
  if (!entry.isFile()) throw new InvalidArgumentError(`--materials path ${JSON.stringify(text)} is no file`);
  return { file: text };
}

async function requireDirectory(path: string, text: string): Promise<void> {
  const entry = await stat(path).catch(() => undefined);
  if (!entry?.isDirectory())
    throw new InvalidArgumentError(`--materials path ${JSON.stringify(text)} is not a directory`);
}
