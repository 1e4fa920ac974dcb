import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Environment, parseGoBool } from "../config/index.js";
import { messageOf, throwIfAborted } from "../core/index.js";
import { pathWithin } from "../fs/index.js";
import type { FrontendAttrs } from "./frontend-attrs.js";
import { hasChanges } from "./git-changes.js";
import { type Git, gitIn } from "./git-command.js";

/** What {@link gitInfo} takes. */
export interface GitInfoQuery {
  /** Absolute path of the context directory. */
  contextDirectory: string;
  /** Path of the Dockerfile, for the entrypoint label. */
  dockerfilePath: string;
  /** Absolute paths of mounted directories by mount name. */
  mounts: ReadonlyMap<string, string>;
  env: Environment;
  signal?: AbortSignal | undefined;
}

/** Attributes that tell BuildKit which commit a context is; `warning` when a repository is there but cannot be read. */
export interface GitInfo {
  attrs: FrontendAttrs;
  warning?: string;
}

/**
 * `vcs:*` attributes and OCI labels from a local git, as buildx v0.36 build/git.go: governed by `BUILDX_GIT_INFO`,
 * `BUILDX_GIT_LABELS` and `BUILDX_GIT_CHECK_DIRTY`. Read-only, with fixed arguments (SEC-14); never fails a build.
 */
export async function gitInfo(query: GitInfoQuery): Promise<GitInfo> {
  const { env, contextDirectory } = query;
  const labelsSetting = env["BUILDX_GIT_LABELS"] ?? "";
  const wantsLabels = labelsSetting === "full" || parseGoBool(labelsSetting) === true;
  const wantsInfo = parseGoBool(env["BUILDX_GIT_INFO"] ?? "") ?? true;
  // Most contexts outside a repository are told apart without starting a process.
  if ((!wantsLabels && !wantsInfo) || !isBelowRepository(contextDirectory)) return { attrs: {} };
  const git = await gitIn(contextDirectory, query);
  let root: string;
  try {
    if (!git) throw new Error("there is no git on PATH");
    root = await git("rev-parse", "--show-toplevel");
  } catch (error) {
    if (query.signal?.aborted) throw error;
    if (!existsSync(join(contextDirectory, ".git"))) return { attrs: {} };
    const reason = messageOf(error).trim();
    return { attrs: {}, warning: `current commit information was not captured by the build: ${reason}` };
  }
  const attrs: FrontendAttrs = {};
  const [commit, source] = await Promise.all([headCommit(git, root, query), remoteUrl(git)]);
  const tell = (what: "revision" | "source", value: string) => {
    if (value === "") return;
    if (wantsLabels) attrs[`label:org.opencontainers.image.${what}`] = value;
    if (wantsInfo) attrs[`vcs:${what}`] = value;
  };
  tell("revision", commit);
  tell("source", source);
  if (wantsLabels) {
    const path = below(root, resolve(query.dockerfilePath));
    if (path !== undefined) attrs["label:com.docker.image.source.entrypoint"] = path;
  }
  if (wantsInfo)
    for (const [name, directory] of query.mounts) {
      const path = below(root, realpathSync(directory));
      if (path !== undefined) attrs[`vcs:localdir:${name}`] = path;
    }
  return { attrs };
}

/** URL of the remote of the repository that a directory is in, without credentials; undefined when there is none. */
export async function repositoryUrl(
  directory: string,
  options: Pick<GitInfoQuery, "env" | "signal">,
): Promise<string | undefined> {
  const git = await gitIn(directory, options);
  const url = git ? await remoteUrl(git) : "";
  throwIfAborted(options.signal);
  return url === "" ? undefined : url;
}

const empty = () => "";

/** The commit of HEAD; empty in a repository without commits. */
async function headCommit(git: Git, root: string, query: GitInfoQuery): Promise<string> {
  const commit = await git("rev-parse", "--verify", "HEAD").catch(empty);
  const checksDirty = parseGoBool(query.env["BUILDX_GIT_CHECK_DIRTY"] ?? "") === true;
  if (commit === "" || !checksDirty) return commit;
  // Where git cannot tell, the commit is not vouched for (buildx gitutil IsDirty).
  const isDirty = await hasChanges(root, query).catch(() => true);
  return isDirty ? `${commit}-dirty` : commit;
}

/** URL of the remote that HEAD tracks, else of `origin`, else of `upstream`, without credentials (SEC-18). */
async function remoteUrl(git: Git): Promise<string> {
  const branch = await git("symbolic-ref", "-q", "--short", "HEAD").catch(empty);
  const tracked = branch === "" ? "" : await git("config", "--get", `branch.${branch}.remote`).catch(empty);
  for (const remote of [tracked, "origin", "upstream"]) {
    if (remote === "" || remote.startsWith("-")) continue;
    const url = await git("remote", "get-url", remote).catch(empty);
    if (url !== "") return withoutCredentials(url);
  }
  return "";
}

/** Drops user and password from a URL; other texts (scp style) stay as they are. */
export function withoutCredentials(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1");
}

function isBelowRepository(directory: string): boolean {
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return true;
    if (dirname(at) === at) return false;
  }
}

/** Path of `path` relative to `root`, `.` for the root itself; undefined when it lies outside. */
function below(root: string, path: string): string | undefined {
  const found = pathWithin(root, path);
  return found === "" ? "." : found;
}
