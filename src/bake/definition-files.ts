import { readFile } from "node:fs/promises";
import path from "node:path";
import {
  type Body,
  type Diagnostic,
  decodeSource,
  diagnosticsText,
  parseJsonBody,
  parseNative,
} from "../hcl/index.js";
import { BakeError } from "./bake-error.js";

/** A definition that has been read. */
export interface DefinitionFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/** Where definitions are looked for when none is named, in their order. */
const defaultNames = [
  "compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml", "docker-bake.json", "docker-bake.hcl",
  "docker-bake.override.json", "docker-bake.override.hcl",
]; // prettier-ignore

/** Reads the named definitions, or the default ones that there are. `-` is standard input, given by `readInput`. */
export async function readDefinitions(
  names: readonly string[] | undefined,
  cwd: string,
  readInput: (() => Promise<Uint8Array>) | undefined,
): Promise<DefinitionFile[]> {
  const files: DefinitionFile[] = [];
  for (const name of names ?? defaultNames) {
    if (name === "-" && readInput) files.push({ name, content: await readInput() });
    else {
      const content = await contentOf(name, cwd, names === undefined);
      if (content) files.push({ name, content });
    }
  }
  if (files.length === 0) throw new BakeError("couldn't find a bake definition");
  return files;
}

async function contentOf(name: string, cwd: string, optional: boolean): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path.resolve(cwd, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && optional) return undefined;
    const reason = code === "ENOENT" ? "no such file or directory" : (error as Error).message;
    throw new BakeError(`open ${name}: ${reason}`, { cause: error });
  }
}

/** Parses a definition by its name's ending; without one as native syntax, or else JSON. */
export function parseDefinition({ name, content }: DefinitionFile): Body {
  const source = decodeSource(content);
  const parse = (
    read: typeof parseNative | typeof parseJsonBody,
    as: string,
  ): { body: Body; diagnostics: Diagnostic[] } => {
    const diagnostics: Diagnostic[] = [];
    return { body: read(source, as, diagnostics), diagnostics };
  };
  if (/\.ya?ml$/.test(name)) {
    throw new BakeError(
      `${name}: slipway reads no compose files yet, name the other definitions with --file`,
    );
  }
  if (name.endsWith(".json")) return sound(parse(parseJsonBody, name));
  if (name.endsWith(".hcl")) return sound(parse(parseNative, name));
  const native = parse(parseNative, `${name}.hcl`);
  if (native.diagnostics.length === 0) return native.body;
  const json = parse(parseJsonBody, `${name}.json`);
  if (json.diagnostics.length === 0) return json.body;
  throw new BakeError(`failed to parse ${name}: parsing hcl: ${diagnosticsText(native.diagnostics)}`);
}

function sound({ body, diagnostics }: { body: Body; diagnostics: readonly Diagnostic[] }): Body {
  if (diagnostics.length > 0) throw new BakeError(diagnostics);
  return body;
}
