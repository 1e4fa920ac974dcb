import { parseGoBool, parseSize } from "../../config/index.js";
import { CtyError } from "../../hcl/index.js";
import { BakeError } from "../bake-error.js";
import { type SecretEntry, parseAttest, parseCaches, parseSsh } from "../entries.js";
import type { GroupFields } from "../group.js";
import { readSource } from "../read-source.js";
import type { TargetFields } from "../target.js";
import { parseDotenv } from "./dotenv.js";
import { type Item, type ItemMap, at, isMap, scalarText } from "./item.js";
import { type ComposeFile, type Project, type ProjectOptions, loadProject, textsOf } from "./load-project.js";
import { addBakeFields } from "./x-bake.js";

/** Keys of a `build` section (Compose specification, Build); others but `x-…` are mistakes. */
const buildKeys = new Set(
  "additional_contexts args cache_from cache_to context dockerfile dockerfile_inline entitlements extra_hosts isolation labels network no_cache no_cache_filter platforms privileged provenance pull sbom secrets shm_size ssh tags target ulimits".split(
    " ",
  ),
);

/** Targets of compose files, one for each service that is built, and the group `default` of all. */
export async function composeTargets(
  files: readonly ComposeFile[],
  options: ProjectOptions,
): Promise<{ targets: TargetFields[]; groups: GroupFields[] }> {
  const project = await loadProject(files, options);
  const targets: TargetFields[] = [];
  for (const name of [...project.services.keys()].sort()) {
    const service = project.services.get(name) as ItemMap;
    const build = service.get("build");
    if (!isMap(build)) {
      if (!scalarText(service.get("image")))
        throw failed(
          `service "${name}" has neither an image nor a build context specified: invalid compose project`,
        );
      continue;
    }
    targets.push(await targetOf(name, service, build, project, options));
  }
  return { targets, groups: [{ name: "default", targets: targets.map((target) => target.name) }] };
}

/** A service's name as targets and groups have it. */
export function targetName(service: string): string {
  return service.replaceAll(".", "_");
}

function failed(problem: string): BakeError {
  return new BakeError(`failed to parse compose file: ${problem}`);
}

async function targetOf(
  name: string,
  service: ItemMap,
  build: ItemMap,
  project: Project,
  options: ProjectOptions,
): Promise<TargetFields> {
  for (const key of build.keys())
    if (!buildKeys.has(key) && !key.startsWith("x-"))
      throw new BakeError(`services.${name}.build additional properties '${key}' not allowed`);
  const target: TargetFields = { name: targetName(name) };
  const fields = new BuildFields(`services.${name}.build`, build);
  const tags = fields.list("tags");
  const image = scalarText(service.get("image"));
  const plain: Partial<TargetFields> = {
    context: fields.text("context") || undefined,
    dockerfile: fields.text("dockerfile"),
    "dockerfile-inline": fields.text("dockerfile_inline"),
    target: fields.text("target"),
    network: fields.text("network"),
    "shm-size": sizeOf(fields.text("shm_size"), name),
    pull: fields.isOn("pull"),
    "no-cache": fields.isOn("no_cache"),
    tags: tags.length > 0 ? tags : image === undefined || image === "" ? undefined : [image],
    platforms: filled(fields.list("platforms")),
    entitlements: filled(fields.list("entitlements")),
  } as Partial<TargetFields>;
  for (const [key, value] of Object.entries(plain))
    if (value !== undefined) Object.assign(target, { [key]: value });
  try {
    Object.assign(target, await mapsOf(service, fields, project, options), entriesOf(name, fields, project));
    addBakeFields(target, build.get("x-bake"));
  } catch (error) {
    throw error instanceof CtyError ? failed(error.message) : error;
  }
  return target;
}

async function mapsOf(
  service: ItemMap,
  fields: BuildFields,
  project: Project,
  options: ProjectOptions,
): Promise<Partial<TargetFields>> {
  const args = fields.map("args");
  const environment = [...args.values()].includes(null)
    ? await environmentOf(service, project, options)
    : new Map();
  const known = [...args].flatMap(([key, value]): [string, string][] => {
    const set = value ?? environment.get(key) ?? project.lookup(key);
    return set === undefined ? [] : [[key, set]];
  });
  const contexts = [...fields.map("additional_contexts")].map(([key, value]): [string, string] => {
    const service = /^service:(.*)$/s.exec(value ?? "")?.[1];
    return [key, service === undefined ? (value ?? "") : `target:${targetName(service)}`];
  });
  const labels = [...fields.map("labels")].map(([key, value]): [string, string] => [key, value ?? ""]);
  const hosts = fields
    .items("extra_hosts")
    .map(([host, item]): [string, string] => [
      host,
      (Array.isArray(item) ? textsOf(item) : [scalarText(item) ?? ""]).join(","),
    ]);
  return {
    ...(known.length > 0 && { args: new Map(known) }),
    ...(contexts.length > 0 && { contexts: new Map(contexts) }),
    ...(labels.length > 0 && { labels: new Map(labels) }),
    ...(hosts.length > 0 && { "extra-hosts": new Map(hosts) }),
  };
}

/** A service's environment, with that of its files. */
async function environmentOf(
  service: ItemMap,
  { lookup }: Project,
  { cwd, signal, isForeign }: ProjectOptions,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const name of textsOf(service.get("env_file"))) {
    const content = await readSource({ name, cwd, signal, isForeign, isNamed: true });
    if (!content) throw new BakeError(`env file ${name} not found`);
    for (const [key, value] of parseDotenv(name, content.toString("utf8"), lookup)) values.set(key, value);
  }
  const own = service.get("environment");
  for (const [key, item] of isMap(own) ? own : []) {
    const value = scalarText(item) ?? lookup(key);
    if (value !== undefined) values.set(key, value);
  }
  return values;
}

function entriesOf(name: string, fields: BuildFields, { secrets }: Project): Partial<TargetFields> {
  const attest = [
    ...attestationOf("sbom", fields.text("sbom")),
    ...attestationOf("provenance", fields.text("provenance")),
  ];
  const secret = fields.sequence("secrets").map((item): SecretEntry => {
    const id = scalarText(isMap(item) ? item.get("source") : item) ?? "";
    if (!secrets.has(id))
      throw failed(`service "${name}" refers to undefined build secret ${id}: invalid compose project`);
    const source = secrets.get(id);
    const external = at(source, "external");
    if (external !== undefined && external !== false && external !== null)
      throw failed(`unsupported external secret ${id}`);
    return {
      id,
      src: scalarText(at(source, "file")) ?? "",
      env: scalarText(at(source, "environment")) ?? "",
    };
  });
  const ulimits = fields.items("ulimits").map(([limit, item]) => {
    const [soft, hard] = isMap(item)
      ? [scalarText(item.get("soft")), scalarText(item.get("hard"))]
      : [scalarText(item), scalarText(item)];
    if (!/^-?\d+$/.test(soft ?? "") || !/^-?\d+$/.test(hard ?? ""))
      throw new BakeError(`services.${name}.build.ulimits.${limit}: invalid type for ulimits`);
    return `${limit}=${soft}:${hard}`;
  });
  const ssh = fields.pairs("ssh").map(parseSsh);
  return {
    ...(attest.length > 0 && { attest }),
    ...(secret.length > 0 && { secret }),
    ...(ssh.length > 0 && { ssh: ssh.sort((a, b) => (a.id < b.id ? -1 : 1)) }),
    ...(ulimits.length > 0 && { ulimits: ulimits.sort() }),
    ...cachesOf("cache-from", fields.list("cache_from")),
    ...cachesOf("cache-to", fields.list("cache_to")),
  };
}

function cachesOf(key: "cache-from" | "cache-to", texts: readonly string[]): Partial<TargetFields> {
  return texts.length === 0 ? {} : { [key]: texts.flatMap(parseCaches) };
}

function attestationOf(type: string, value: string | undefined) {
  if (value === undefined || value === "") return [];
  const isOn = parseGoBool(value);
  return [parseAttest(isOn === undefined ? `type=${type},${value}` : `type=${type},disabled=${!isOn}`)];
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `64m`, or bytes, as `64MiB`. */
function sizeOf(text: string | undefined, service: string): string | undefined {
  if (text === undefined) return undefined;
  let size: number;
  try {
    size = parseSize(text);
  } catch (cause) {
    throw new BakeError(`services.${service}.build.shm_size: invalid size: '${text}'`, { cause });
  }
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${Number(size.toPrecision(4))}${units[unit]}`;
}

function filled(list: string[]): string[] | undefined {
  return list.length > 0 ? list : undefined;
}

/** A build section's fields; one of another kind than it must be is an error that names it. */
class BuildFields {
  readonly #path: string;
  readonly #build: ItemMap;

  constructor(path: string, build: ItemMap) {
    this.#path = path;
    this.#build = build;
  }

  text(key: string): string | undefined {
    const item = this.#build.get(key);
    if (item === undefined || item === null) return undefined;
    return scalarText(item) ?? this.#refuse(key, "string");
  }

  /** True, or nothing. */
  isOn(key: string): true | undefined {
    const text = this.text(key);
    if (text === undefined || text === "") return undefined;
    const value = /^(?:yes|on)$/i.test(text) || parseGoBool(text);
    if (value === undefined) this.#refuse(key, "boolean");
    return value ? true : undefined;
  }

  sequence(key: string): readonly Item[] {
    const item = this.#build.get(key);
    if (item === undefined || item === null) return [];
    return Array.isArray(item) ? item : this.#refuse(key, "array");
  }

  list(key: string): string[] {
    return this.sequence(key).map((item) => scalarText(item) ?? this.#refuse(key, "array of strings"));
  }

  items(key: string): [string, Item][] {
    const item = this.#build.get(key);
    if (item === undefined || item === null) return [];
    return isMap(item) ? [...item] : this.#refuse(key, "mapping");
  }

  map(key: string): Map<string, string | null> {
    return new Map(
      this.items(key).map(([name, item]) => {
        if (item === null) return [name, null];
        return [name, scalarText(item) ?? this.#refuse(`${key}.${name}`, "string")];
      }),
    );
  }

  /** A list of `id[=value]`, or a mapping, as such texts. */
  pairs(key: string): string[] {
    if (!isMap(this.#build.get(key))) return this.list(key);
    return [...this.map(key)].map(([id, value]) => (value === null || value === "" ? id : `${id}=${value}`));
  }

  #refuse(key: string, kind: string): never {
    throw new BakeError(`${this.#path}.${key} must be a ${kind}`);
  }
}
