import { isAbsolute, join } from "node:path";
import { formatPlatformFully, normalizePlatform, parsePlatform } from "../../builder/index.js";
import { isJsonObject, parseCsvFields, parseGoBool } from "../../config/index.js";
import { blankUsers, blankValue, messageOf, parseJson } from "../../core/index.js";
import type { BuildAttachment } from "./attachments.js";
import type { BuildFailure } from "./build-failure.js";
import type { BuildHistory, RecordCallOptions } from "./build-history.js";
import type { BuildRecord } from "./build-record.js";
import { pathWithin } from "../../fs/index.js";

/** A build arg, a label, a named context. */
export interface NamedValue {
  name: string;
  value: string;
}

/** Options of a build that are not about its input. Values are as the frontend got them. */
export interface BuildConfig {
  network?: string;
  extraHosts?: string[];
  hostname?: string;
  cgroupParent?: string;
  imageResolveMode?: string;
  multiPlatform?: boolean;
  noCache?: boolean;
  noCacheFilter?: string[];
  /** Bytes. */
  shmSize?: string;
  ulimit?: string;
  /** Bytes. */
  memory?: string;
  /** Bytes; -1 for no limit. */
  memorySwap?: string;
  cpuShares?: string;
  cpuPeriod?: string;
  cpuQuota?: string;
  cpuSetCpus?: string;
  cpuSetMems?: string;
  cacheMountNamespace?: string;
  dockerfileCheck?: string;
  sourceDateEpoch?: string;
  sandboxHostname?: string;
  /** Attributes that have no name here. */
  rest: NamedValue[];
}

/** Something that a build used: an image, a repository, a file from the web. */
export interface BuildMaterial {
  /** Package URL or address. */
  uri: string;
  /** `sha256:…`, `sha1:…` */
  digests: string[];
}

/** A record as options of the build command; what `history inspect` shows. */
export interface BuildDetails {
  record: BuildRecord;
  /** Directory, relative to `directory` when inside it, or the address of a remote context. */
  context?: string;
  /** Relative to the context when inside it. */
  dockerfile?: string;
  vcsRepository?: string;
  vcsRevision?: string;
  target?: string;
  platforms: string[];
  keepGitDir: boolean;
  namedContexts: NamedValue[];
  buildArgs: NamedValue[];
  labels: NamedValue[];
  config: BuildConfig;
  materials: BuildMaterial[];
  attachments: BuildAttachment[];
  failure?: BuildFailure;
  /** Attributes that could not be read. */
  problems: string[];
}

/** What `inspectBuild()` does. */
export async function readDetails(
  history: BuildHistory,
  record: BuildRecord,
  { directory = process.cwd(), signal }: RecordCallOptions & { directory?: string } = {},
): Promise<BuildDetails> {
  const [failure, attachments] = await Promise.all([
    history.failure(record, { signal }),
    history.attachments(record, { signal }),
  ]);
  // They are for people to read: a context's password and a proxy's are not.
  const reader = new AttrReader(blankValue(record.attrs));
  return {
    record,
    ...inputOf(record, reader, directory),
    ...reader.optional("target", reader.text("target")),
    platforms: reader.read("platform", readPlatforms) ?? [],
    keepGitDir: reader.bool("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR"),
    namedContexts: reader.group("context:"),
    buildArgs: reader.group("build-arg:"),
    labels: reader.group("label:"),
    config: readConfig(reader),
    materials: await readMaterials(history, record, attachments, signal),
    attachments,
    ...(failure && { failure }),
    problems: reader.problems,
  };
}

/** Takes attributes one by one; what nobody took is left. */
class AttrReader {
  readonly problems: string[] = [];
  readonly #attrs: Map<string, string>;

  constructor(attrs: Readonly<Record<string, string>>) {
    this.#attrs = new Map(Object.entries(attrs));
    this.#attrs.delete("frontend.caps");
  }

  text(key: string): string | undefined {
    const value = this.#attrs.get(key);
    this.#attrs.delete(key);
    return value || undefined;
  }

  peek(key: string): string | undefined {
    return this.#attrs.get(key);
  }

  read<T>(key: string, parse: (text: string) => T): T | undefined {
    const text = this.text(key);
    try {
      return text === undefined ? undefined : parse(text);
    } catch (error) {
      this.problems.push(`failed to parse ${text}: (${messageOf(error)})`);
      return undefined;
    }
  }

  bool(key: string): boolean {
    const parse = (text: string) => {
      const value = parseGoBool(text);
      if (value === undefined) throw new Error("not a boolean");
      return value;
    };
    return this.read(key, parse) ?? false;
  }

  /** All that begin so, by name; they stay. */
  group(prefix: string): NamedValue[] {
    return this.#list((key) => key.startsWith(prefix)).map(({ name, value }) => ({
      name: name.slice(prefix.length),
      value,
    }));
  }

  rest(): NamedValue[] {
    return this.#list((key) => !/^(vcs|build-arg|label|context|attest):/.test(key));
  }

  optional<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
    return (value === undefined ? {} : { [key]: value }) as { [P in K]?: string };
  }

  #list(wanted: (key: string) => boolean): NamedValue[] {
    return [...this.#attrs]
      .filter(([key]) => wanted(key))
      .map(([name, value]) => ({ name, value }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function inputOf({ localState }: BuildRecord, reader: AttrReader, directory: string) {
  const local = localState?.localPath ?? "";
  const isPath = isAbsolute(local);
  const context = local === "" ? reader.text("context") : isPath ? inside(directory, local) : local;
  const named = localState?.dockerfilePath ?? "";
  const filename = reader.text("filename");
  const subdirectory = reader.peek("vcs:localdir:dockerfile");
  const usual = filename && subdirectory ? join(subdirectory, filename) : filename;
  const dockerfile = named === "" ? usual : named !== "-" && isPath ? inside(local, named) : named;
  // A remote context is its own repository.
  const isRemote = reader.peek("context") !== undefined;
  return {
    ...reader.optional("context", context === undefined ? undefined : blankUsers(context)),
    ...reader.optional("dockerfile", dockerfile),
    ...reader.optional("vcsRepository", isRemote ? undefined : reader.peek("vcs:source")),
    ...reader.optional("vcsRevision", isRemote ? undefined : reader.peek("vcs:revision")),
  };
}

/** A path relative to a directory that it is in, else as it is. */
function inside(directory: string, path: string): string {
  if (!isAbsolute(path)) return path;
  const found = pathWithin(directory, path);
  return found === "" ? "." : (found ?? path);
}

function readPlatforms(text: string): string[] {
  return text.split(",").map((part) => formatPlatformFully(normalizePlatform(parsePlatform(part))));
}

/** Attributes that are shown as they are, with what they are called here. */
const plainAttrs: readonly (readonly [string, keyof BuildConfig])[] = [
  ["force-network-mode", "network"],
  ["hostname", "hostname"],
  ["cgroup-parent", "cgroupParent"],
  ["image-resolve-mode", "imageResolveMode"],
  ["shm-size", "shmSize"],
  ["ulimit", "ulimit"],
  ["memory", "memory"],
  ["memswap", "memorySwap"],
  ["cpushares", "cpuShares"],
  ["cpuperiod", "cpuPeriod"],
  ["cpuquota", "cpuQuota"],
  ["cpusetcpus", "cpuSetCpus"],
  ["cpusetmems", "cpuSetMems"],
  ["build-arg:BUILDKIT_CACHE_MOUNT_NS", "cacheMountNamespace"],
  ["build-arg:BUILDKIT_DOCKERFILE_CHECK", "dockerfileCheck"],
  ["build-arg:SOURCE_DATE_EPOCH", "sourceDateEpoch"],
  ["build-arg:SANDBOX_HOSTNAME", "sandboxHostname"],
];

function readConfig(reader: AttrReader): BuildConfig {
  const noCache = reader.peek("no-cache");
  const stages = reader.text("no-cache");
  const extraHosts = reader.read("add-hosts", parseCsvFields);
  const asked = reader.bool("build-arg:BUILDKIT_MULTI_PLATFORM");
  const multiPlatform = reader.peek("multi-platform") === undefined ? asked : reader.bool("multi-platform");
  const plain: Record<string, string> = {};
  for (const [attr, name] of plainAttrs) {
    const value = reader.text(attr);
    if (value !== undefined) plain[name] = value;
  }
  return {
    ...plain,
    ...(extraHosts && { extraHosts: [...extraHosts] }),
    ...(multiPlatform && { multiPlatform }),
    ...(noCache === "" && { noCache: true }),
    ...(stages !== undefined && { noCacheFilter: stages.split(",") }),
    rest: reader.rest(),
  };
}

const provenance = "https://slsa.dev/provenance/";

async function readMaterials(
  history: BuildHistory,
  record: BuildRecord,
  attachments: readonly BuildAttachment[],
  signal: AbortSignal | undefined,
): Promise<BuildMaterial[]> {
  const found = attachments.find(({ type }) => type.startsWith(provenance));
  if (!found) return [];
  const blob = await history.readBlob(record, found.digest, { limit: 32 << 20, signal });
  let predicate: unknown;
  try {
    predicate = parseJson(blob.toString());
  } catch {
    // Told as if there were none: the rest of the record can be shown all the same.
  }
  if (!isJsonObject(predicate)) return [];
  const definition = predicate["buildDefinition"];
  // v0.2 has them at the top, v1 in its build definition.
  const list = isJsonObject(definition) ? definition["resolvedDependencies"] : predicate["materials"];
  return (Array.isArray(list) ? list : []).filter(isJsonObject).map(({ uri, digest }) => ({
    uri: typeof uri === "string" ? uri : "",
    digests: isJsonObject(digest)
      ? Object.entries(digest).flatMap(([algorithm, hex]) =>
          typeof hex === "string" ? [`${algorithm}:${hex}`] : [],
        )
      : [],
  }));
}
