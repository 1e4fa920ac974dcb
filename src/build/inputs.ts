import { readdir, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { types } from "node:util";
import type { pb } from "../buildkit/index.js";
import { InvalidArgumentError, holdStream, randomId } from "../core/index.js";
import { normalizeContextName } from "../registry/index.js";
import type { SyncedDir } from "../session/index.js";
import type { BuildOptions } from "./build-options.js";
import { type ContextSource, dir } from "./contexts.js";
import type { FetchedContext } from "./fetched-source.js";
import type { FrontendAttrs } from "./frontend-attrs.js";
import {
  checkIgnoreFile,
  checkInputFile,
  dockerfileFromPipe,
  isDirectory,
  largestDockerfile,
} from "./input-files.js";
import { type MemoryDir, memoryDir } from "./memory-dir.js";
import { findMemoryDockerfile } from "./memory-dockerfile.js";
import { resolveNamedContext } from "./named-contexts.js";
import type { OciLayoutContext } from "./oci-layout-context.js";
import type { PlannedOptions } from "./planned-options.js";
import type { RemotePolicy } from "./remote-policy.js";
import { hasGitQuery, isHttpUrl, isRemoteUrl } from "./remote-url.js";

/** Where the files of a build come from, resolved: what the session serves and what the frontend is told. */
export interface Inputs {
  attrs: FrontendAttrs;
  /** Directories that the session offers, by mount name. */
  locals: Map<string, SyncedDir>;
  /** Archives that the session uploads, by id. */
  uploads: Map<string, Readable | Uint8Array>;
  /** What the builder fetches as the frontend's inputs, by name. */
  graphs?: ReadonlyMap<string, pb.Definition>;
  /** OCI layouts that the session serves, by store id. */
  ociLayouts: Map<string, OciLayoutContext>;
  /** Named contexts that are images of the engine's own store: name of the image by name of the context. */
  engineContexts: Map<string, string>;
  /** Names the context towards the daemon, so that the next build of the same directory sends only changes. */
  sharedKey: string;
  /** What the builder's store keeps of where the build came from, in buildx's words (buildx build/localstate.go). */
  recorded: { localPath: string; dockerfilePath: string };
  /** The Dockerfile is still to be fetched from here, by the builder, and mounted as `dockerfile`. */
  dockerfileUrl?: string;
  /** Absolute path of a local context directory, for `vcs:*` attributes and the local state. */
  contextDirectory?: string;
  /** A rego policy that lies beside the Dockerfile, which buildx would apply. */
  policyPath?: string;
  /** A rego policy that may be in the remote context, where buildx would look for it. */
  remotePolicy?: RemotePolicy;
  /** Where a rego policy would be in the archive that is the context. */
  archivePolicy?: string;
  /** Path of the Dockerfile as people know it, for error excerpts and the local state. */
  dockerfilePath: string;
}

/** A Dockerfile's mount serves these names and no others (SEC-46). */
export function dockerfileNames(name: string): string[] {
  return [name, `${name}.dockerignore`, ".dockerignore", ...(name === "Dockerfile" ? ["dockerfile"] : [])];
}

/**
 * Resolves context, Dockerfile and named contexts (buildx v0.36 build/opt.go loadInputs). Looks at the file system, sends
 * nothing: what is missing or cannot be read fails here (SEC-45).
 *
 * @param nodeId this machine's id among the builders' clients; keeps equal directory names of two machines apart.
 * @throws InvalidArgumentError that names the path or the context.
 */
export async function resolveInputs(
  given: PlannedOptions,
  nodeId: string,
  signal?: AbortSignal,
): Promise<Inputs> {
  // An empty name is none, as in buildx.
  const { file, ...rest } = given;
  const options: PlannedOptions = file === "" ? rest : given;
  const inputs: Inputs = {
    attrs: {},
    locals: new Map(),
    uploads: new Map(),
    ociLayouts: new Map(),
    engineContexts: new Map(),
    sharedKey: "",
    recorded: { localPath: "-", dockerfilePath: options.file ?? "" },
    dockerfilePath: options.file ?? "Dockerfile",
  };
  const resolving = { inputs, nodeId, caps: new Set<string>(), signal };
  const context = await contextSource(options.context);
  inputs.recorded = recorded(context, options);
  await resolveMainContext(context, options, resolving);
  for (const [given, source] of Object.entries(options.buildContexts ?? {})) {
    if (source === undefined) continue;
    resolving.caps.add("moby.buildkit.frontend.contexts+forward");
    await resolveNamedContext(normalizeContextName(given), source, resolving);
  }
  if (resolving.caps.size > 0) inputs.attrs["frontend.caps"] = [...resolving.caps].sort().join(",");
  return inputs;
}

/** Inputs on the way, and what is asked of the frontend for them. */
export interface ResolvingInputs {
  inputs: Inputs;
  nodeId: string;
  caps: Set<string>;
  signal: AbortSignal | undefined;
}

/** What a context given as text stands for: an existing directory first, then a URL. */
async function contextSource(context: PlannedOptions["context"]): Promise<ContextSource | FetchedContext> {
  if (typeof context !== "string") return context;
  if (context === "")
    throw new InvalidArgumentError('please specify build context (e.g. "." for the current directory)');
  if (await isDirectory(context)) return dir(context);
  if (isRemoteUrl(context)) return { type: "remote", url: context };
  throw await noDirectory(context);
}

async function noDirectory(path: string): Promise<InvalidArgumentError> {
  const name = JSON.stringify(path);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return new InvalidArgumentError(
    isThere
      ? `unable to prepare context: path ${name} is not a directory; a Dockerfile is given as file (-f), beside the directory`
      : `unable to prepare context: path ${name} not found`,
  );
}

/** Absolute paths of what is here; `-` for what came by standard input or from memory; nothing for what is where it usually is. */
function recorded(
  context: ContextSource | FetchedContext,
  { file, dockerfile }: Pick<BuildOptions, "file" | "dockerfile">,
): Inputs["recorded"] {
  const given = file ?? "";
  switch (context.type) {
    case "directory": {
      const path = dockerfile === undefined ? given && resolve(given) : "-";
      return { localPath: resolve(context.path), dockerfilePath: path };
    }
    case "remote":
      return { localPath: context.url, dockerfilePath: dockerfile === undefined ? given : "-" };
    case "fetched": {
      const localPath = context.source.urlOf(context.path) || "-";
      return { localPath, dockerfilePath: dockerfile === undefined ? given : "-" };
    }
    default:
      return { localPath: "-", dockerfilePath: given };
  }
}

async function resolveMainContext(
  context: ContextSource | FetchedContext,
  options: PlannedOptions,
  resolving: ResolvingInputs,
): Promise<void> {
  const { file } = options;
  if (options.dockerfile !== undefined && file !== undefined)
    throw new InvalidArgumentError("give either the option file or the option dockerfile, not both");
  const url = file !== undefined && isHttpUrl(file) ? file : undefined;
  const inline = url === undefined ? await inlineDockerfile(context, options, resolving.signal) : "";
  await placeContext(context, inline === undefined ? (file ?? "") : undefined, resolving);
  if (inline === undefined) return;
  const { attrs, locals } = resolving.inputs;
  if (url === undefined) locals.set("dockerfile", memoryDir({ Dockerfile: inline }));
  else resolving.inputs.dockerfileUrl = url;
  attrs["dockerfilekey"] = "dockerfile";
  attrs["filename"] = "Dockerfile";
}

/** Has a context sent or fetched, with its Dockerfile at `file`, where it usually is if that is empty; undefined for one from elsewhere. */
async function placeContext(
  context: ContextSource | FetchedContext,
  file: string | undefined,
  resolving: ResolvingInputs,
): Promise<void> {
  const { inputs } = resolving;
  const name = file === "" ? "Dockerfile" : file;
  switch (context.type) {
    case "directory":
      return directoryContext(context.path, file === "" ? join(context.path, "Dockerfile") : file, resolving);
    case "files": {
      const memory = memoryDir(context.files);
      inputs.locals.set("context", memory);
      if (name !== undefined) await mountMemoryDockerfile(inputs, memory, name);
      return;
    }
    case "tar":
      return archiveContext(context.stream, name, inputs);
    case "remote":
      return remoteContext(context.url, name, resolving);
    case "fetched":
      return fetchedContext(context, name, inputs);
  }
}

/** A directory, with the Dockerfile at `file`, which may stand outside of it; undefined for one from elsewhere. */
async function directoryContext(
  given: string,
  file: string | undefined,
  { inputs, nodeId }: ResolvingInputs,
): Promise<void> {
  if (!(await isDirectory(given))) throw await noDirectory(given);
  const path = resolve(given);
  inputs.locals.set("context", { type: "directory", path });
  inputs.contextDirectory = path;
  inputs.sharedKey = `${basename(path)}:${nodeId}`;
  if (file !== undefined) await mountDockerfile(inputs, file);
  await checkIgnoreFile(path, ".dockerignore", "failed to read .dockerignore");
}

/** An archive that is sent, with the Dockerfile in it. */
function archiveContext(archive: Readable | Uint8Array, file: string | undefined, inputs: Inputs): void {
  const id = randomId();
  inputs.uploads.set(id, readable(archive));
  inputs.attrs["context"] = `http://buildkit-session/${id}`;
  if (file === undefined) return;
  inputs.attrs["filename"] = file;
  inputs.archivePolicy = `${file}.rego`;
}

/** What the builder fetches, with the Dockerfile in it, or here under an absolute path. */
async function remoteContext(
  url: string,
  file: string | undefined,
  { inputs, caps }: ResolvingInputs,
): Promise<void> {
  const { attrs } = inputs;
  attrs["context"] = url;
  if (hasGitQuery(url)) caps.add("moby.buildkit.frontend.gitquerystring");
  if (file === undefined) return;
  if (isAbsolute(file)) {
    await mountDockerfile(inputs, file);
    attrs["dockerfilekey"] = "dockerfile";
  } else {
    attrs["filename"] = file;
    inputs.remotePolicy = { url, path: `${file}.rego` };
  }
}

/** A directory of what the builder has fetched, with the Dockerfile in it, or here under an absolute path. */
async function fetchedContext(
  { source, path }: FetchedContext,
  file: string | undefined,
  inputs: Inputs,
): Promise<void> {
  const { attrs } = inputs;
  const graph = source.directory(path, `set context to ${path}`);
  const url = source.urlOf(path);
  const graphs = new Map(inputs.graphs).set("context", graph);
  if (url !== "") attrs["input:context"] = url;
  if (file !== undefined && isAbsolute(file)) {
    await mountDockerfile(inputs, file);
    attrs["dockerfilekey"] = "dockerfile";
  } else if (file !== undefined) {
    graphs.set("dockerfile", graph);
    attrs["filename"] = file;
    inputs.remotePolicy = { url: url || "of the definition", path: `${file}.rego`, graph };
  }
  inputs.graphs = graphs;
}

/** The Dockerfile's content, where it does not come from a directory. */
async function inlineDockerfile(
  context: ContextSource | FetchedContext,
  { file, dockerfile }: Pick<BuildOptions, "file" | "dockerfile">,
  signal: AbortSignal | undefined,
): Promise<BuildOptions["dockerfile"]> {
  const isRemote = context.type === "remote" || context.type === "fetched";
  const isLocal = context.type === "directory" || (isRemote && isAbsolute(file ?? ""));
  return file !== undefined && isLocal ? await dockerfileFromPipe(file, signal) : dockerfile;
}

/** Mounts the directory of a Dockerfile, limited to what belongs to it. */
async function mountDockerfile(inputs: Inputs, file: string): Promise<void> {
  const directory = resolve(dirname(file));
  const name = await actualName(directory, basename(file));
  const path = join(directory, name);
  const what = "failed to read dockerfile";
  await checkInputFile(directory, name, { what, required: true, limit: largestDockerfile });
  if (await isFile(`${path}.rego`)) inputs.policyPath = `${file}.rego`;
  await checkIgnoreFile(directory, `${name}.dockerignore`, `failed to read ${name}.dockerignore`);
  inputs.locals.set("dockerfile", { type: "directory", path: directory, only: dockerfileNames(name) });
  inputs.attrs["filename"] = name;
  inputs.dockerfilePath = file;
}

async function mountMemoryDockerfile(inputs: Inputs, context: MemoryDir, file: string): Promise<void> {
  const { name, entries } = await findMemoryDockerfile(context.entries, file, dockerfileNames);
  inputs.locals.set("dockerfile", { type: "memory", entries });
  inputs.attrs["filename"] = name;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
}

/** `Dockerfile` stands for `dockerfile` where only that exists, also on file systems that tell them apart (moby PR 10858). */
async function actualName(directory: string, name: string): Promise<string> {
  if (name !== "Dockerfile") return name;
  const names = await readdir(directory).catch((): string[] => []);
  return !names.includes("Dockerfile") && names.includes("dockerfile") ? "dockerfile" : name;
}

/** An archive that can still be read: one that never can be is told before anything is dialled. */
function readable(archive: Readable | Uint8Array): Readable | Uint8Array {
  if (types.isUint8Array(archive)) return archive;
  holdStream(archive);
  // Streams of other packages may not say.
  if ((archive.readable as boolean | undefined) ?? true) return archive;
  const { errored, readableEnded } = archive;
  const why = errored?.message ?? (readableEnded ? "it was read to its end before" : "it was destroyed");
  throw new InvalidArgumentError(`the stream given to tar() cannot be read: ${why}`, {
    ...(errored && { cause: errored }),
  });
}
