import path from "node:path";
import { isRemoteUrl } from "../../build/index.js";
import { BakeError } from "../bake-error.js";
import { readSource, requireSource } from "../read-source.js";
import { parseDotenv } from "./dotenv.js";
import { type Variables, type InterpolationProblem, interpolateItem } from "./interpolate.js";
import { type Item, type ItemMap, at, isMap, scalarText } from "./item.js";
import { mergeItems, normalService, plainItem } from "./merge-items.js";
import { parseYaml } from "./parse-yaml.js";

/** A compose file. */
export interface ComposeFile {
  name: string;
  content: Uint8Array;
}

/** What a project is loaded with. */
export interface ProjectOptions {
  /** Where relative names stand. */
  cwd: string;
  /** Ends the waiting for whoever writes a pipe. */
  signal?: AbortSignal | undefined;
  /** The files were fetched: they may name no others but in the working directory. */
  isForeign?: boolean | undefined;
  lookup: (name: string) => string | undefined;
  onWarning: (text: string) => void;
}

/** Services and secrets of compose files, put together. */
export interface Project {
  services: ReadonlyMap<string, ItemMap>;
  secrets: ItemMap;
  lookup: (name: string) => string | undefined;
}

/** Files that include each other, at most. */
const deepest = 32;

/**
 * Loads compose files as one project: variables filled in, `include` and `extends` followed, later files put over earlier ones. Paths
 * are those from the working directory afterwards.
 *
 * @throws BakeError
 */
export async function loadProject(files: readonly ComposeFile[], options: ProjectOptions): Promise<Project> {
  const loader = new ProjectLoader(options);
  const { cwd, signal } = options;
  const dotenv = await readSource({ name: ".env", cwd, signal, isNamed: false });
  const values =
    dotenv === undefined
      ? new Map<string, string>()
      : parseDotenv(".env", dotenv.toString("utf8"), options.lookup);
  const lookup = (name: string) => options.lookup(name) ?? values.get(name);
  const { services, secrets } = await loader.load(files, { directory: "", lookup, depth: 0 });
  return { services, secrets, lookup };
}

/** Where a file stands, and what its variables are. */
interface Place {
  /** From the working directory. */
  directory: string;
  lookup: (name: string) => string | undefined;
  depth: number;
}

interface Loaded {
  services: Map<string, ItemMap>;
  secrets: ItemMap;
}

class ProjectLoader {
  readonly #options: ProjectOptions;
  readonly #unset = new Set<string>();

  constructor(options: ProjectOptions) {
    this.#options = options;
  }

  async load(files: readonly ComposeFile[], place: Place): Promise<Loaded> {
    if (place.depth > deepest) throw new BakeError("compose files include each other in a circle");
    const project: Loaded = { services: new Map(), secrets: new Map() };
    const includes: Item[] = [];
    let isEmpty = true;
    for (const file of files) {
      for (const document of await this.#read(file, place)) {
        isEmpty &&= document.size === 0;
        addServices(project.services, document.get("services"), place.directory);
        addSecrets(project.secrets, document.get("secrets"), place.directory);
        const include = document.get("include");
        if (Array.isArray(include)) includes.push(...include);
      }
    }
    if (isEmpty) throw new BakeError("empty compose file");
    for (const name of project.services.keys())
      project.services.set(name, await this.#extended(name, project.services, place, []));
    for (const include of includes) await this.#include(include, project, place);
    return project;
  }

  /** A file's documents with their variables filled in; what cannot be is told, all of it. */
  async #read({ name, content }: ComposeFile, { lookup }: Place): Promise<ItemMap[]> {
    const documents = await parseYaml(name, Buffer.from(content).toString("utf8"));
    const problems: InterpolationProblem[] = [];
    const variables: Variables = { lookup, onUnset: (variable) => this.#warnOnce(variable) };
    const filled = documents.map((document) => interpolateItem(document, variables, problems) as ItemMap);
    // Items of a list have one path, and stay in their order.
    problems.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    if (problems.length > 0) throw new BakeError(problems.map(({ text }) => text).join("\n"));
    return filled;
  }

  #warnOnce(variable: string): void {
    if (this.#unset.has(variable)) return;
    this.#unset.add(variable);
    this.#options.onWarning(`The "${variable}" variable is not set. Defaulting to a blank string.`);
  }

  /** Adds what other files have; a name can be in one of them only. */
  async #include(include: Item, project: Loaded, place: Place): Promise<void> {
    const paths = textsOf(isMap(include) ? include.get("path") : include);
    const [first = ""] = paths;
    const given = scalarText(at(include, "project_directory"));
    const directory =
      given === undefined
        ? path.join(place.directory, path.dirname(first))
        : path.join(place.directory, given);
    const files = await Promise.all(paths.map((name) => this.#open(path.join(place.directory, name))));
    const named = textsOf(at(include, "env_file")).map((name) => path.join(place.directory, name));
    const values = new Map<string, string>();
    for (const name of named.length > 0 ? named : [path.join(directory, ".env")]) {
      const { cwd, signal, isForeign } = this.#options;
      const text = await readSource({ name, cwd, signal, isForeign, isNamed: named.length > 0 });
      if (text === undefined && named.length > 0) throw new BakeError(`env file ${name} not found`);
      for (const [key, value] of parseDotenv(name, text?.toString("utf8") ?? "", place.lookup))
        values.set(key, value);
    }
    const lookup = (name: string) => place.lookup(name) ?? values.get(name);
    const loaded = await this.load(files, { directory, lookup, depth: place.depth + 1 });
    for (const [name, service] of loaded.services) {
      if (project.services.has(name))
        throw new BakeError(`services.${name} conflicts with imported resource`);
      project.services.set(name, service);
    }
    for (const [name, secret] of loaded.secrets)
      if (!project.secrets.has(name)) project.secrets.set(name, secret);
  }

  /** A service with what it extends, of this file or another. */
  async #extended(
    name: string,
    services: ReadonlyMap<string, ItemMap>,
    place: Place,
    before: readonly string[],
  ): Promise<ItemMap> {
    const own = services.get(name) as ItemMap;
    const given = own.get("extends");
    if (given === undefined || given === null) return own;
    const other = isMap(given) ? (scalarText(given.get("service")) ?? "") : (scalarText(given) ?? "");
    const file = scalarText(at(given, "file"));
    const id = `${place.directory} ${file ?? ""} ${name}`;
    if (before.includes(id) || before.length > deepest)
      throw new BakeError(
        `Circular reference: ${[...before, id].map((text) => text.split(" ").at(-1)).join(" extends ")}`,
      );
    let found = services;
    let where = place;
    if (file !== undefined) {
      const whole = path.join(place.directory, file);
      where = { ...place, directory: path.dirname(whole) };
      const elsewhere = new Map<string, ItemMap>();
      for (const document of await this.#read(await this.#open(whole), where))
        addServices(elsewhere, document.get("services"), where.directory);
      found = elsewhere;
    }
    if (!found.has(other))
      throw new BakeError(
        `cannot extend service "${name}" in ${file ?? "the same file"}: service "${other}" not found`,
      );
    const base = new Map(await this.#extended(other, found, where, [...before, id]));
    base.delete("extends");
    const rest = new Map(own);
    rest.delete("extends");
    return mergeItems(base, rest) as ItemMap;
  }

  async #open(name: string): Promise<ComposeFile> {
    const { cwd, signal, isForeign } = this.#options;
    return { name, content: await requireSource({ name, cwd, signal, isForeign, isNamed: true }) };
  }
}

function addServices(services: Map<string, ItemMap>, given: Item | undefined, directory: string): void {
  if (given === undefined || given === null) return;
  if (!isMap(given)) throw new BakeError("services must be a mapping");
  for (const [name, service] of given) {
    if (!/^[a-zA-Z0-9._-]+$/.test(name))
      throw new BakeError(`services additional properties '${name}' not allowed`);
    const plain = service === null ? new Map<string, Item>() : service;
    if (!isMap(plain)) throw new BakeError(`services.${name} must be a mapping`);
    const own = withPaths(normalService(plain), directory);
    const known = services.get(name);
    services.set(name, known ? (mergeItems(known, own) as ItemMap) : (plainItem(own) as ItemMap));
  }
}

function addSecrets(secrets: ItemMap, given: Item | undefined, directory: string): void {
  if (!isMap(given)) return;
  for (const [name, secret] of given) {
    const file = scalarText(at(secret, "file"));
    secrets.set(
      name,
      isMap(secret) && file !== undefined ? new Map(secret).set("file", below(directory, file)) : secret,
    );
  }
}

/** A service's paths as they are from the working directory. */
function withPaths(service: ItemMap, directory: string): ItemMap {
  const build = service.get("build");
  const whole = new Map(service);
  const files = service.get("env_file");
  if (files !== undefined)
    whole.set(
      "env_file",
      textsOf(files).map((name) => below(directory, name)),
    );
  if (!isMap(build)) return whole;
  const own = new Map(build);
  const context = scalarText(build.get("context"));
  // One that is not given is the file's own directory.
  if (context !== undefined || directory !== "") own.set("context", contextBelow(directory, context ?? "."));
  const contexts = build.get("additional_contexts");
  if (isMap(contexts))
    own.set(
      "additional_contexts",
      new Map([...contexts].map(([key, value]) => [key, contextBelow(directory, scalarText(value) ?? "")])),
    );
  return whole.set("build", own);
}

function contextBelow(directory: string, context: string): string {
  return isRemoteUrl(context) || /^[a-z-]+:/.test(context) ? context : below(directory, context);
}

function below(directory: string, name: string): string {
  const whole = path.isAbsolute(name) ? name : path.join(directory, name);
  return whole.length > 1 && whole.endsWith("/") ? whole.slice(0, -1) : whole;
}

/** A text or a list of texts, or of mappings with a `path`, as a list of texts. */
export function textsOf(item: Item | undefined): string[] {
  const list = Array.isArray(item) ? item : item === undefined ? [] : [item];
  return list.flatMap((one) => scalarText(isMap(one) ? one.get("path") : one) ?? []);
}
