import { lstatSync, realpathSync } from "node:fs";
import path from "node:path";
import { type TargetOptions, isRemoteUrl } from "../build/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { pathWithin } from "../fs/index.js";
import { type Privilege, privilegeText } from "./privilege.js";

/** What was allowed. */
class Grants {
  readonly #words = new Set<string>();
  readonly #paths: Record<"fs.read" | "fs.write", string[]>;

  constructor(allow: readonly string[], cwd: string) {
    const here = solidPath(cwd, cwd);
    this.#paths = { "fs.read": [here], "fs.write": [here] };
    for (const text of allow) this.#add(text, cwd);
  }

  #add(text: string, cwd: string): void {
    const at = text.indexOf("=");
    const [kind, value] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
    switch (kind) {
      case "fs.read":
      case "fs.write":
      case "fs":
        for (const paths of kind === "fs" ? Object.values(this.#paths) : [this.#paths[kind]])
          paths.push(value === "*" || value === undefined ? "*" : solidPath(value, cwd));
        return;
      case "network.host":
      case "security.insecure":
      case "ssh":
      case "buildx.local.delete":
        if (value !== undefined) throw new InvalidArgumentError(`${kind} does not accept a value`);
        this.#words.add(kind);
        return;
      case "device":
        this.#words.add(text);
        return;
      default:
        // Taken for images by buildx, which asks for none of them.
        if (kind.startsWith("image")) return;
        throw new InvalidArgumentError(`unknown entitlement key ${JSON.stringify(kind)}`);
    }
  }

  has({ kind, value }: Privilege): boolean {
    if (kind === "device") return this.#words.has("device") || this.#words.has(`device=${value}`);
    if (kind !== "fs.read" && kind !== "fs.write") return this.#words.has(kind);
    return this.#paths[kind].some((path) => path === "*" || pathWithin(path, value ?? "") !== undefined);
  }
}

/**
 * A path without links, as far as it exists. What does not exist yet stays as it is, below the nearest directory that
 * does.
 */
function solidPath(given: string, cwd: string): string {
  for (let at = path.resolve(cwd, given); ; at = path.dirname(at)) {
    try {
      return realpathSync(at);
    } catch (error) {
      // A link that leads nowhere would be followed when it does.
      if (isLink(at)) throw new InvalidArgumentError(`the link ${at} leads nowhere`, { cause: error });
      if (path.dirname(at) === at) return at;
    }
  }
}

function isLink(at: string): boolean {
  try {
    return lstatSync(at).isSymbolicLink();
  } catch {
    return false;
  }
}

/**
 * All that the targets together do beyond what was allowed; their order and number make no difference. Reading and
 * writing below the working directory is always allowed.
 *
 * @param allow as `--allow` takes it
 * @throws InvalidArgumentError for what is no privilege
 */
export function missingPrivileges(
  targets: Iterable<TargetOptions>,
  allow: readonly string[],
  cwd: string,
): Privilege[] {
  const grants = new Grants(allow, cwd);
  const missing = new Map<string, Privilege>();
  // Most targets have the same context and Dockerfile.
  const solid = new Map<string, string>();
  const solidOf = (given: string) => {
    const known = solid.get(given) ?? solidPath(given, cwd);
    solid.set(given, known);
    return known;
  };
  for (const target of targets)
    for (const need of needsOf(target, solidOf))
      if (!grants.has(need)) missing.set(privilegeText(need), need);
  return joined(withoutInner([...missing.values()]));
}

/** What a target does, each path as it really is. */
function* needsOf(target: TargetOptions, solidOf: (given: string) => string): Generator<Privilege> {
  yield* entitlementNeeds(target);
  const needs = [...sshNeeds(target), ...readNeeds(target), ...writeNeeds(target)];
  for (const { kind, value } of needs) yield value === undefined ? { kind } : { kind, value: solidOf(value) };
}

function* entitlementNeeds({ allow = [] }: TargetOptions): Generator<Privilege> {
  for (const text of allow) {
    const [kind, value] = text.split("=", 2);
    if (kind === "network.host" || kind === "security.insecure") yield { kind };
    if (kind === "device") yield value === undefined ? { kind } : { kind, value };
  }
}

/** The agent, where no files are named. */
function* sshNeeds({ ssh = [] }: TargetOptions): Generator<Privilege> {
  for (const text of ssh) {
    const at = text.indexOf("=");
    if (at < 0) yield { kind: "ssh" };
    else for (const value of text.slice(at + 1).split(",")) yield { kind: "fs.read", value };
  }
}

function readNeeds(target: TargetOptions): Privilege[] {
  return [...readPaths(target)].map((value) => ({ kind: "fs.read", value }));
}

function* writeNeeds({ outputs = [], cacheTo = [] }: TargetOptions): Generator<Privilege> {
  for (const { type, dest, attrs } of outputs) {
    if (typeof dest !== "string" || dest === "-" || dest === "") continue;
    yield { kind: "fs.write", value: dest };
    if (type === "local" && attrs?.["mode"] === "delete") yield { kind: "buildx.local.delete" };
  }
  for (const { type, attrs } of cacheTo)
    if (type === "local" && attrs?.["dest"]) yield { kind: "fs.write", value: attrs["dest"] };
}

/** Paths that a target reads on this side. */
function* readPaths(target: TargetOptions): Generator<string> {
  const { context, file, buildContexts = {}, secrets = {}, cacheFrom = [] } = target;
  if (typeof context === "string" && !isRemoteUrl(context)) yield context;
  const isElsewhere = typeof context === "string" ? isRemoteUrl(context) : context.type === "fetched";
  const isInContext = isElsewhere && !path.isAbsolute(file ?? "");
  if (file !== undefined && !isRemoteUrl(file) && !isInContext) yield file;
  for (const source of Object.values(buildContexts)) {
    if (typeof source !== "string" || isRemoteUrl(source)) continue;
    if (/^(?:target|docker-image|engine):/.test(source)) continue;
    const layout = /^oci-layout:(?:\/\/)?([^@]*)/.exec(source)?.[1];
    yield layout === undefined ? source : layout.replace(/:[^/:]*$/, "");
  }
  for (const source of Object.values(secrets))
    if (typeof source === "object" && "file" in source && typeof source.file === "string") yield source.file;
  for (const { type, attrs } of cacheFrom) if (type === "local" && attrs?.["src"]) yield attrs["src"];
}

/** Leaves out paths inside directories that are also in the list. */
function withoutInner(all: readonly Privilege[]): Privilege[] {
  return all.filter(
    (one) =>
      !all.some(
        (other) =>
          other !== one &&
          other.kind === one.kind &&
          other.kind.startsWith("fs.") &&
          pathWithin(other.value ?? "", one.value ?? "") !== undefined,
      ),
  );
}

/** Joins the reading and the writing of one path into one privilege. */
function joined(all: readonly Privilege[]): Privilege[] {
  const of = (kind: Privilege["kind"]) =>
    new Set(all.filter((one) => one.kind === kind).map((one) => one.value));
  const [read, written] = [of("fs.read"), of("fs.write")];
  return all.flatMap((one): Privilege[] => {
    if (one.kind === "fs.read" && written.has(one.value)) return [{ ...one, kind: "fs" }];
    return one.kind === "fs.write" && read.has(one.value) ? [] : [one];
  });
}
