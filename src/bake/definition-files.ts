import path from "node:path";
import { type Connection, type FetchedSource, readRemote } from "../build/index.js";
import { variableOf } from "../config/index.js";
import { type VertexWriter, withVertex } from "../core/index.js";
import {
  type Body,
  type Diagnostic,
  HclError,
  decodeSource,
  diagnosticsText,
  parseJsonBody,
  parseNative,
} from "../hcl/index.js";
import { BakeError } from "./bake-error.js";
import { longestSource, readSource, requireSource, requireThere } from "./read-source.js";
import type { BakeSource, ReadBakeOptions } from "./read-bake.js";

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

/** Definitions, and what was fetched of which their contexts are parts. */
interface Definitions {
  files: DefinitionFile[];
  source?: FetchedSource | undefined;
}

/**
 * Reads the definitions that are named, by the options or the environment, or the default ones that there are; those of a remote
 * first, then those that are here.
 */
export async function readDefinitions(
  options: ReadBakeOptions,
  connection: Connection | undefined,
): Promise<Definitions> {
  const { files: given, remote } = options;
  const listed = given === undefined ? await namesOfEnvironment(options) : undefined;
  const from = listed ? " from BUILDX_BAKE_FILE env" : "";
  const named = given ?? listed;
  if (!remote) return { files: required(await readLocal(named, options, from)) };
  const isThere = (file: string | BakeSource) => typeof file === "string" && !file.startsWith("cwd://");
  const names = named?.filter((file) => isThere(file)) as string[] | undefined;
  const here = named?.filter((file) => !isThere(file)) ?? [];
  const fetched = await readRemote(remote.url, {
    ...options,
    connection,
    names: names ?? [],
    defaultNames,
    limit: longestSource,
  });
  const local = here.length > 0 ? await readLocal(here, options, from) : [];
  return { files: required([...fetched.files, ...local]), source: fetched.source };
}

/** Looking for them has not failed: buildx tells it of the command, not of that step. */
function required(files: DefinitionFile[]): DefinitionFile[] {
  if (files.length === 0) throw new BakeError("couldn't find a bake definition");
  return files;
}

async function readLocal(
  named: readonly (string | BakeSource)[] | undefined,
  options: ReadBakeOptions,
  from: string,
): Promise<DefinitionFile[]> {
  const names = named ?? defaultNames;
  const read = async (vertex?: VertexWriter) => {
    const files: DefinitionFile[] = [];
    for (const file of names) {
      const one =
        typeof file === "string" ? await readOne(file, options, named === undefined, vertex) : inMemory(file);
      if (one) files.push(one);
    }
    return files;
  };
  if (names.every((file) => typeof file !== "string")) return read();
  return withVertex(options.onEvent, `[internal] load local bake definitions${from}`, read);
}

async function readOne(
  given: string,
  options: ReadBakeOptions,
  isOptional: boolean,
  vertex: VertexWriter | undefined,
): Promise<DefinitionFile | undefined> {
  const name = bare(given);
  const content = await contentOf(name, options, isOptional);
  if (!content) return undefined;
  const size = { current: content.length, total: content.length, done: true };
  vertex?.progress(name === "-" ? "reading from stdin" : `reading ${name}`, size);
  return { name, content };
}

/** `BUILDX_BAKE_FILE`, a list as PATH is one; all of it must be there. */
async function namesOfEnvironment({
  env = process.env,
  cwd,
}: ReadBakeOptions): Promise<string[] | undefined> {
  const list = variableOf(env, "BUILDX_BAKE_FILE");
  if (!list) return undefined;
  const names = list
    .split(variableOf(env, "BUILDX_BAKE_PATH_SEPARATOR") || path.delimiter)
    .map((name) => name.trim())
    .filter((name) => name !== "");
  for (const name of names) if (name !== "-") await requireThere(bare(name), cwd ?? "");
  return names.length > 0 ? names : undefined;
}

function inMemory({ name, content }: BakeSource): DefinitionFile {
  return { name, content: typeof content === "string" ? Buffer.from(content) : content };
}

async function contentOf(
  name: string,
  { cwd, readInput, signal }: ReadBakeOptions,
  isOptional: boolean,
): Promise<Uint8Array | undefined> {
  if (name === "-" && readInput) return readInput();
  const file = { name, cwd: cwd ?? "", signal, isNamed: !isOptional };
  return isOptional ? readSource(file) : requireSource(file);
}

/** `cwd://NAME` is a file here, even where a definition is remote. */
function bare(name: string): string {
  return name.replace(/^cwd:\/\//, "");
}

/** What definitions are written in: compose files, and the others, parsed. */
export interface ParsedDefinitions {
  readonly compose: readonly DefinitionFile[];
  readonly bodies: readonly Body[];
}

/** Tells definitions apart by the endings of their names. One without an ending is tried as a compose file first. */
export async function parseDefinitions(files: readonly DefinitionFile[]): Promise<ParsedDefinitions> {
  const compose: DefinitionFile[] = [];
  const bodies: Body[] = [];
  for (const file of files) {
    if (/\.ya?ml$/.test(file.name) || (!/\.(?:hcl|json)$/.test(file.name) && (await isCompose(file))))
      compose.push(file);
    else bodies.push(parseBody(file));
  }
  return { compose, bodies };
}

async function isCompose({ name, content }: DefinitionFile): Promise<boolean> {
  const { parseYaml } = await import("./compose/parse-yaml.js");
  try {
    const documents = await parseYaml(name, decodeSource(content));
    return documents.some((document) => document.has("services") || document.has("include"));
  } catch (error) {
    if (!(error instanceof BakeError)) throw error;
    return false;
  }
}

/** Parses native syntax or JSON. */
function parseBody({ name, content }: DefinitionFile): Body {
  const source = decodeSource(content);
  const parse = (
    read: typeof parseNative | typeof parseJsonBody,
    as: string,
  ): { body: Body; diagnostics: Diagnostic[] } => {
    const diagnostics: Diagnostic[] = [];
    return { body: read(source, as, diagnostics), diagnostics };
  };
  if (name.endsWith(".json")) return sound(parse(parseJsonBody, name));
  if (name.endsWith(".hcl")) return sound(parse(parseNative, name));
  const native = parse(parseNative, `${name}.hcl`);
  if (native.diagnostics.length === 0) return native.body;
  const json = parse(parseJsonBody, `${name}.json`);
  if (json.diagnostics.length === 0) return json.body;
  throw new BakeError(`failed to parse ${name}: parsing hcl: ${diagnosticsText(native.diagnostics)}`);
}

function sound({ body, diagnostics }: { body: Body; diagnostics: readonly Diagnostic[] }): Body {
  if (diagnostics.length > 0) throw new HclError(diagnostics);
  return body;
}
