import type { pb } from "../buildkit/index.js";
import { parseGoBool } from "../config/index.js";
import { withoutCredentials } from "./git-info.js";
import { parseGitReference } from "./git-reference.js";
import type { Inputs } from "./inputs.js";
import { hasGitQuery } from "./remote-url.js";
import { type GraphSource, sourceGraph } from "./source-graph.js";

/**
 * The inputs with git addresses that have a query made into graphs of our own, so that frontends can be used that do not know
 * such addresses (before Dockerfile 1.18); what the frontend is told beside them keeps the address for the build's record
 * (buildx v0.38 build/opt.go processGitURL).
 *
 * @throws InvalidArgumentError for an address that BuildKit would not read.
 */
export function withGitInputs(inputs: Inputs, buildArgs: ReadonlyMap<string, string>): Inputs {
  const flag = (name: string) => parseGoBool(buildArgs.get(name) ?? "") === true;
  const advice = flag("BUILDKIT_GIT_ADVICE");
  const { context: main = "", "frontend.caps": caps = "", ...attrs } = inputs.attrs;
  const graphs = new Map<string, pb.Definition>(inputs.graphs);
  let { remotePolicy } = inputs;
  if (hasGitQuery(main)) {
    const graph = sourceGraph(gitSource(main, { advice, keepGitDir: flag("BUILDKIT_CONTEXT_KEEP_GIT_DIR") }));
    graphs.set("context", graph);
    if (attrs["dockerfilekey"] === undefined) graphs.set("dockerfile", graph);
    attrs["input:context"] = main;
    if (remotePolicy) remotePolicy = { ...remotePolicy, graph };
  } else if (main !== "") attrs["context"] = main;
  for (const [key, url] of Object.entries(attrs)) {
    if (!key.startsWith("context:") || !hasGitQuery(url)) continue;
    const name = `git_state_${key}`;
    graphs.set(name, sourceGraph(gitSource(url, { advice, keepGitDir: false })));
    attrs[key] = `input:${name}`;
    attrs[`input:${key}`] = url;
  }
  const left = caps.split(",").filter((cap) => cap !== "" && !cap.includes("gitquerystring"));
  if (left.length > 0) attrs["frontend.caps"] = left.join(",");
  return { ...inputs, attrs, graphs, ...(remotePolicy && { remotePolicy }) };
}

/**
 * The source that fetches a git repository (BK client/llb Git, frontend/dockerui DetectGitContext). Host keys of ssh are not asked
 * for from here: git in the builder takes the host's as it finds it, as ssh-keyscan would have.
 *
 * @throws InvalidArgumentError for an address that BuildKit would not read.
 */
export function gitSource(url: string, options: { advice: boolean; keepGitDir: boolean }): GraphSource {
  const reference = parseGitReference(url);
  const { remote, place, ref = "", subdir, checksum, mtime } = reference;
  const path = subdir === undefined ? "" : `:${subdir}`;
  const attrs: Record<string, string> = {
    "git.authtokensecret": "GIT_AUTH_TOKEN",
    "git.authheadersecret": "GIT_AUTH_HEADER",
  };
  const caps = ["source.git"];
  const set = (name: string, value: string) => {
    attrs[`git.${name}`] = value;
    caps.push(`source.git.${name}`);
  };
  set("fullurl", remote);
  if (reference.isSsh) set("mountsshsock", "default");
  if (reference.keepGitDir || options.keepGitDir) set("keepgitdir", "true");
  if (checksum !== undefined) set("checksum", checksum);
  if (reference.submodules === false) set("skipsubmodules", "true");
  if (mtime !== undefined) set("mtime", mtime);
  if (reference.fetchByCommit) set("fetchbycommit", "true");
  if (options.advice) attrs["git.advice"] = "true";
  return {
    identifier: `git://${place}${ref || path ? `#${ref}${path}` : ""}`,
    attrs,
    caps,
    name: `load git source ${withoutCredentials(url)}`,
  };
}
