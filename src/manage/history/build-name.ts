import { posix } from "node:path";
import { formatGitReference, isGitUrl } from "../../build/index.js";
import type { LocalBuildState } from "../../builder/index.js";
import { blankUsers } from "../../core/index.js";

const defaultFile = "/Dockerfile";

/**
 * What a build is called: BUILDKIT_BUILD_NAME, else the last part of its context's or Dockerfile's path with the target in
 * parentheses, else the repository it came from (buildx v0.38 util/history BuildName). One of a context that has no path, as from
 * memory, is called by the image that it was to make, else by its id, so that nothing is without a name.
 */
export function buildName(
  attrs: Readonly<Record<string, string>>,
  state: LocalBuildState | undefined,
  { images = [], id }: { images?: readonly string[]; id: string },
): string {
  return blankUsers(fullName(attrs, state)) || (images.find((name) => name !== "") ?? id);
}

function fullName(attrs: Readonly<Record<string, string>>, state: LocalBuildState | undefined): string {
  const given = attrs["build-arg:BUILDKIT_BUILD_NAME"];
  if (given) return given;
  const { target, context = otherThanHere(attrs["vcs:localdir:context"]) } = attrs;
  const place = context || pathName(attrs, state);
  if (target) return place ? `${place} (${target})` : target;
  return place || repositoryName(attrs);
}

function pathName(attrs: Readonly<Record<string, string>>, state: LocalBuildState | undefined): string {
  const local = state && !/^(https?|git|ssh):\/\/|^git@/.test(state.localPath) ? state : undefined;
  const context = notStdin(local?.localPath) ?? "";
  const file = dockerfilePath(attrs, local);
  const isUsualFile = file === "" || file.endsWith(defaultFile);
  const path = file.endsWith(defaultFile) ? file.slice(0, -defaultFile.length) : file;
  if (path.startsWith(context) && path.length > context.length)
    return path.slice(context.lastIndexOf("/") + 1);
  const base = path || context;
  if (base === "") return "";
  const slash = base.lastIndexOf("/");
  const last = base.slice(slash + 1);
  if (isUsualFile) return last;
  const parent = slash < 0 ? base : base.slice(0, slash);
  return posix.join(posix.basename(parent), last);
}

function dockerfilePath(attrs: Readonly<Record<string, string>>, local: LocalBuildState | undefined): string {
  const named = notStdin(local?.dockerfilePath);
  if (named !== undefined && named !== "Dockerfile") return named;
  const { filename = "" } = attrs;
  const file = filename === "Dockerfile" ? "" : filename;
  const directory = otherThanHere(attrs["vcs:localdir:dockerfile"]);
  return directory === undefined ? file : posix.join(directory, file);
}

function repositoryName(attrs: Readonly<Record<string, string>>): string {
  const source = attrs["vcs:source"] ?? gitSource(attrs["input:context"]) ?? "";
  return isGitUrl(source) ? formatGitReference(source) : source;
}

function gitSource(input: string | undefined): string | undefined {
  return input !== undefined && isGitUrl(input) ? input : undefined;
}

function otherThanHere(path: string | undefined): string | undefined {
  return path === "." || path === "" ? undefined : path;
}

function notStdin(path: string | undefined): string | undefined {
  return path === "-" || path === "" ? undefined : path;
}
