import { posix } from "node:path";
import type { pb } from "../buildkit/index.js";
import { parseGitReference } from "./git-reference.js";
import { isGitUrl } from "./remote-url.js";
import { type EncodedOp, copyOp, graphOf } from "./source-graph.js";

/** What a definition was fetched from: directories of it are contexts. */
export class FetchedSource {
  /** Where it is from; empty for an archive, of which nothing but the builder knows the parts. */
  readonly url: string;
  readonly #ops: readonly EncodedOp[];

  /**
   * @param ops what the builder does to get it, in their order
   * @internal
   */
  constructor(url: string, ops: readonly EncodedOp[]) {
    this.url = url;
    this.#ops = ops;
  }

  /** The address of a directory of it, as people and the builder's history know it; empty for an archive's. */
  urlOf(directory: string): string {
    return this.url === "" ? "" : urlBelow(this.url, directory);
  }

  /**
   * The graph of a directory of it; `name` is how that is called in the progress.
   *
   * @internal
   */
  directory(path: string, name: string): pb.Definition {
    const from = this.#ops.at(-1) as EncodedOp;
    if (path === ".") return graphOf(this.#ops);
    return graphOf([...this.#ops, copyOp({ from, src: posix.join("/", path), takes: "directory", name })]);
  }
}

/** A directory of what was fetched, as a context. */
export interface FetchedContext {
  type: "fetched";
  source: FetchedSource;
  /** Relative to the top, in its shortest form; `.` for all. */
  path: string;
}

/** A git address with another directory (buildx v0.38 bake/bake.go remoteURLWithSubdir). */
function urlBelow(url: string, directory: string): string {
  if (directory === "." || !isGitUrl(url)) return url;
  const { subdir = "" } = parseGitReference(url);
  const whole = posix.join(subdir, directory);
  const [base = "", fragment] = url.split(/#(.*)/s, 2);
  const query = /\?(.*)$/s.exec(base)?.[1];
  const values = new URLSearchParams(query);
  if (fragment === undefined && base.includes("://") && values.has("subdir")) {
    values.set("subdir", whole);
    values.sort();
    return `${base.slice(0, base.indexOf("?"))}?${values.toString()}`;
  }
  return `${base}#${(fragment ?? "").split(":", 1)[0]}:${whole}`;
}
