import { existsSync } from "node:fs";
import path from "node:path";
import { type FetchedSource, isRemoteUrl } from "../build/index.js";
import { BakeError } from "./bake-error.js";
import type { TargetFields } from "./target.js";

/**
 * Has a target's contexts be directories of what its definition was fetched from, but for those that say otherwise by `cwd://` or an
 * address (buildx v0.38 bake/bake.go updateContext).
 *
 * @throws BakeError for a Dockerfile that would be taken from here by mistake
 */
export function placeContexts(target: TargetFields, source: FetchedSource, cwd: string): void {
  const contexts = new Map(
    [...(target.contexts ?? [])]
      .filter(([, given]) => isInside(given))
      .map(([name, given]) => [name, cleaned(given)]),
  );
  const given = target.context ?? ".";
  if (!isInside(given)) {
    refuseLocalDockerfile(target, source, cwd);
    target.remote = { source, contexts };
    return;
  }
  const directory = cleaned(given);
  const url = source.urlOf(directory);
  target.context = url || directory;
  // All of a repository is left to the frontend.
  target.remote = { source, contexts, ...((url === "" || directory !== ".") && { context: directory }) };
}

function isInside(context: string): boolean {
  return !/^(?:cwd:\/\/|target:|docker-image:|oci-layout:|engine:)/.test(context) && !isRemoteUrl(context);
}

/** Relative to the top, which nothing leads out of. */
function cleaned(directory: string): string {
  return path.posix.join("/", directory).slice(1).replace(/\/$/, "") || ".";
}

/** A remote Dockerfile cannot be had beside a local context, and one of the same name here is not meant. */
function refuseLocalDockerfile(
  { context = "", dockerfile, ...target }: TargetFields,
  source: FetchedSource,
  cwd: string,
): void {
  if (source.url === "" || !context.startsWith("cwd://") || target["dockerfile-inline"] !== undefined) return;
  const file = dockerfile || "Dockerfile";
  if (file.startsWith("cwd://") || isRemoteUrl(file)) return;
  if (existsSync(path.join(cwd, context.slice("cwd://".length), file)))
    throw new BakeError("reading a dockerfile for a remote build invocation is currently not supported");
}
