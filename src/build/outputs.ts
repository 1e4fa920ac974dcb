import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { type Environment, parseGoBool } from "../config/index.js";
import { formatPlatform, parsePlatform } from "../builder/index.js";
import { InvalidArgumentError, holdStream, messageOf, writableOf, withoutUndefined } from "../core/index.js";
import { pathWithin, statOutput } from "../fs/index.js";
import { parseReference } from "../registry/index.js";
import { type Output, outputTypeOf } from "./parse/output.js";
import { reproducibleAttrs } from "./reproducible/reproducible-exports.js";

/** Where one exporter's result goes on this side. */
export type ExportDestination =
  | { kind: "none" }
  | { kind: "load"; context?: string | undefined }
  | { kind: "file"; path: string }
  | { kind: "stream"; stream: Writable }
  | { kind: "directory"; path: string; mode: "copy" | "delete" }
  | { kind: "layout"; path: string };

/** One exporter of the solve. */
export interface PlannedExport {
  /** `moby`: into the store of the engine that builds. */
  type: "local" | "tar" | "oci" | "docker" | "image" | "moby";
  attrs: Record<string, string>;
  destination: ExportDestination;
}

/** What {@link planOutputs} takes of the build's options. */
export interface OutputRequest {
  outputs: readonly Output[];
  push: boolean;
  load: boolean | undefined;
  tags: readonly string[];
  annotations: readonly string[];
  /** The build argument BUILDKIT_INLINE_BUILDINFO_ATTRS. */
  buildinfoAttrs?: string | undefined;
  allowLocalDelete: boolean;
  /** Images are to be the same each time. */
  reproducible?: boolean;
  env: Environment;
}

/** Outputs of a build; `cacheOnly` was asked for by name, so that having none is no oversight. */
export interface PlannedOutputs {
  exports: PlannedExport[];
  cacheOnly: boolean;
}

/**
 * Turns outputs, tags and annotations into exporters, with every destination checked before anything is sent
 * (buildx v0.36 build/opt.go CreateExports and toSolveOpt; FLT-91).
 *
 * @throws InvalidArgumentError that names the output, tag or annotation.
 */
export async function planOutputs(request: OutputRequest): Promise<PlannedOutputs> {
  for (const { type } of request.outputs) outputTypeOf(type);
  const asked = askedOutputs(request);
  const annotations = Object.fromEntries(
    request.annotations.filter((text) => text !== "").flatMap(annotation),
  );
  for (const tag of request.tags) checkTag(tag);
  const exports: PlannedExport[] = [];
  const used = { stdout: false, layout: false };
  for (const output of asked) {
    const { type } = output;
    if (type === "cacheonly" || type === "registry") continue;
    const attrs = {
      ...output.attrs,
      ...(isImage(type) && imageAttrs(output.attrs, type, request)),
      ...annotations,
    };
    const destination = await planDestination({ ...output, attrs }, used, request.allowLocalDelete);
    exports.push({ type, attrs, destination });
  }
  return { exports, cacheOnly: asked.some(({ type }) => type === "cacheonly") };
}

/** The outputs that are named, with those that `push` and `load` stand for. */
function askedOutputs({ outputs, push, load }: OutputRequest) {
  const pushed = { push: "true", unpack: "false" };
  const asked: (Output & { attrs: Record<string, string> })[] = outputs.map((output) => {
    const attrs = withoutUndefined(output.attrs ?? {});
    if (output.type === "registry")
      return { ...output, type: "image", attrs: { ...pushed, ...attrs, push: "true" } };
    if (output.type === "image" && push) return { ...output, attrs: { ...pushed, ...attrs, push: "true" } };
    return { ...output, attrs };
  });
  if (push && !asked.some(({ type }) => type === "image")) asked.push({ type: "image", attrs: pushed });
  if (load && !asked.some(({ type, dest }) => type === "docker" && dest === undefined))
    asked.push({ type: "docker", attrs: {} });
  return asked;
}

function isImage(type: Output["type"]): boolean {
  return type === "image" || type === "oci" || type === "docker";
}

/** What an image's exporter is told besides its own attributes. */
function imageAttrs(
  given: Readonly<Record<string, string>>,
  type: Output["type"],
  { tags, buildinfoAttrs, reproducible, env }: OutputRequest,
): Record<string, string> {
  const attrs: Record<string, string> = {
    ...(reproducible ? reproducibleAttrs(given, type) : given),
    ...(tags.length > 0 && { name: tags.join(",") }),
    ...(buildinfoAttrs !== undefined && { "buildinfo-attrs": buildinfoAttrs }),
  };
  if (type === "image" && parseGoBool(attrs["push"] ?? "") === true && !attrs["name"])
    throw new InvalidArgumentError("tag is needed when pushing to registry");
  const noArtifact = parseGoBool(env["BUILDX_NO_DEFAULT_OCI_ARTIFACT"] ?? "") === true;
  return { ...(noArtifact && { "oci-artifact": "false" }), ...attrs };
}

/** What of an output can be had once in a build. */
interface UsedOnce {
  stdout: boolean;
  layout: boolean;
}

async function planDestination(
  { type, dest, attrs = {} }: Output,
  used: UsedOnce,
  allowLocalDelete: boolean,
): Promise<ExportDestination> {
  if (type === "image") return { kind: "none" };
  const isLayout = (type === "oci" || type === "docker") && parseGoBool(attrs["tar"] ?? "") === false;
  if (isLayout) {
    const path = resolve(await directoryDestination(type, dest));
    // BuildKit knows one store for all such outputs: "export" (BK client/solve.go).
    if (used.layout)
      throw new InvalidArgumentError("only one output with tar=false is possible in one build");
    used.layout = true;
    return { kind: "layout", path };
  }
  if (type === "local") {
    const path = await directoryDestination(type, dest);
    return { kind: "directory", path: resolve(path), mode: localMode(path, attrs["mode"], allowLocalDelete) };
  }
  if (dest !== undefined && typeof dest !== "string") return { kind: "stream", stream: usable(dest, type) };
  if (type === "docker" && !dest) return { kind: "load", context: attrs["context"] };
  if (!dest || dest === "-") return { kind: "stream", stream: standardOutput(type, used) };
  const entry = await statOrNothing(dest, "file");
  if (entry?.isDirectory()) throw new InvalidArgumentError(`destination file ${dest} is a directory`);
  return { kind: "file", path: resolve(dest) };
}

/** The directory that a result is written to; it need not be there yet. */
async function directoryDestination(type: string, dest: Output["dest"]): Promise<string> {
  if (dest === undefined || dest === "")
    throw new InvalidArgumentError(`dest is required for ${type} exporter`);
  if (dest === "-" || typeof dest !== "string")
    throw new InvalidArgumentError(`dest cannot be stdout for ${type} exporter`);
  const entry = await statOrNothing(dest, "directory");
  if (entry && !entry.isDirectory())
    throw new InvalidArgumentError(`destination directory ${dest} is a file`);
  return dest;
}

function standardOutput(type: string, used: UsedOnce): Writable {
  if (used.stdout) throw new InvalidArgumentError("multiple outputs configured to write to stdout");
  if (process.stdout.isTTY)
    throw new InvalidArgumentError(
      `dest file is required for ${type} exporter. refusing to write to console`,
    );
  used.stdout = true;
  return process.stdout;
}

/** A stream that can still be written: one that never can be is told before anything is built. */
function usable(dest: Exclude<Output["dest"], string | undefined>, type: string): Writable {
  const refusal = (why: string, cause?: unknown) =>
    new InvalidArgumentError(`the stream for the output ${type} cannot be written: ${why}`, {
      ...(cause !== undefined && { cause }),
    });
  let stream: Writable;
  try {
    stream = holdStream(writableOf(dest));
  } catch (error) {
    throw refusal(messageOf(error), error); // a web stream that somebody else writes
  }
  if (!stream.destroyed && !stream.writableEnded) return stream;
  const { errored } = stream;
  throw refusal(
    errored?.message ?? (stream.destroyed ? "it was destroyed" : "it was ended"),
    errored ?? undefined,
  );
}

async function statOrNothing(dest: string, what: string) {
  try {
    return await statOutput(dest);
  } catch (error) {
    throw new InvalidArgumentError(`invalid destination ${what}: ${dest}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** `mode=delete` mirrors: what the result lacks is deleted, so outside the working directory it must be allowed (SEC-64). */
function localMode(dest: string, mode: string | undefined, allowed: boolean): "copy" | "delete" {
  if (mode === undefined || mode === "" || mode === "copy") return "copy";
  if (mode !== "delete")
    throw new InvalidArgumentError(
      `invalid local output mode ${JSON.stringify(mode)}, expecting copy or delete`,
    );
  // Neither outside nor the working directory itself.
  if (!allowed && !pathWithin(realPath(process.cwd()), realPath(resolve(dest))))
    throw new InvalidArgumentError(
      `local output mode=delete for destination ${JSON.stringify(dest)} requires --allow=buildx.local.delete`,
    );
  return "delete";
}

/** The path with links resolved as far as it exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}

function checkTag(tag: string): void {
  try {
    parseReference(tag);
  } catch (error) {
    const quoted = JSON.stringify(tag);
    // The reason ends in the name, which is told already.
    const reason = messageOf(error).replace(`: ${quoted}`, "");
    throw new InvalidArgumentError(`invalid tag ${quoted}: ${reason}`, { cause: error });
  }
}

const annotationTypes: readonly string[] = ["manifest", "manifest-descriptor", "index", "index-descriptor"];

function annotation(text: string): [attr: string, value: string][] {
  try {
    return parseAnnotation(text);
  } catch (error) {
    throw new InvalidArgumentError(`parse annotations: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Exporter attributes of `[type[platform],…:]key=value` (BK exporter/containerimage/exptypes/annotations.go).
 */
export function parseAnnotation(text: string): [attr: string, value: string][] {
  const at = text.indexOf("=");
  if (at < 0)
    throw new InvalidArgumentError(`invalid annotation ${JSON.stringify(text)}, expected key=value`);
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  const colon = name.indexOf(":");
  if (colon < 0) return [[`annotation.${name}`, value]];
  const key = name.slice(colon + 1);
  return name
    .slice(0, colon)
    .split(",")
    .map((part) => {
      const match = /^([a-z-]+)(?:\[([A-Za-z0-9_/-]+)\])?$/.exec(part);
      if (!match)
        throw new InvalidArgumentError(
          `invalid annotation type ${JSON.stringify(part)}, expected type and optional platform in square brackets`,
        );
      const [, type = "", platform] = match;
      if (!annotationTypes.includes(type))
        throw new InvalidArgumentError(`unknown annotation type ${JSON.stringify(type)}`);
      // Those of an index have no platform; what is written there is dropped.
      const where =
        platform && type.startsWith("manifest") ? `[${formatPlatform(parsePlatform(platform))}]` : "";
      return [`annotation-${type}${where}.${key}`, value];
    });
}
