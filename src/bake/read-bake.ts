import type { ConnectTarget } from "../build/index.js";
import type { Environment } from "../config/index.js";
import type { EventSink } from "../core/index.js";
import type { BakeJson } from "./definition-json.js";
import type { GroupFields } from "./group.js";
import type { Privilege } from "./privilege.js";
import type { TargetFields } from "./target.js";
import type { BakeVariable } from "./variables.js";

/** A definition from memory; its name says what it is written in. */
export interface BakeSource {
  name: string;
  content: string | Uint8Array;
}

/** A definition elsewhere, as the first arguments of `docker buildx bake` are. */
export interface RemoteBake {
  /** A git reference, or an http(s) URL of an archive or of a definition. */
  url: string;
  /** What the variable `BAKE_CMD_CONTEXT` says, a git reference or URL; the working directory (`cwd://`) if not given. */
  commandContext?: string;
}

/** What a definition is read with. */
export interface ReadBakeOptions extends Pick<ConnectTarget, "builder" | "address" | "tls" | "dial"> {
  /**
   * Definitions, in their order: paths, or what they hold. Without any, the files that `docker buildx bake` looks for. With `remote`
   * paths are in what is fetched; those that begin with `cwd://` are here.
   */
  files?: readonly (string | BakeSource)[];
  /**
   * A definition that a builder fetches: that of `builder`, `address` or `dial`, the current one if none is given. Its contexts are
   * directories of what was fetched.
   */
  remote?: RemoteBake;
  /** Targets, groups and patterns of them; without any, `default`. */
  targets?: readonly string[];
  /** Variables' values, before those of the environment. */
  vars?: Readonly<Record<string, string | undefined>>;
  /** Changes to targets, as `--set` takes them: `PATTERN.KEY[.NAME][+]=VALUE`. */
  set?: readonly string[];
  /** Changes to all targets, after those of `set`; see `build()`. */
  push?: boolean;
  load?: boolean;
  noCache?: boolean;
  pull?: boolean;
  sbom?: boolean | string;
  provenance?: boolean | string;
  call?: string;
  /** Where relative names of files stand; the working directory if not given. */
  cwd?: string;
  /** Where variables are looked up; the process's environment if not given. */
  env?: Environment;
  /** Reads the content of `-` among the files. */
  readInput?: () => Promise<Uint8Array>;
  /** Gets what is read, as a display shows it. */
  onEvent?: EventSink;
  signal?: AbortSignal;
}

/** All that definitions hold. */
export interface BakeDefinition {
  readonly targets: readonly TargetFields[];
  readonly groups: readonly GroupFields[];
  readonly variables: readonly BakeVariable[];
}

/** What is to be built: every target with all of its fields, including those that others are built on. */
export interface BakePlan {
  readonly targets: ReadonlyMap<string, TargetFields>;
  /** The groups that were asked for, and `default` with everything that was. */
  readonly groups: ReadonlyMap<string, { description?: string; targets: string[] }>;
  readonly variables: readonly BakeVariable[];
  /** Privileges that changes of `set` name, and so allow; as `--allow` takes them. */
  readonly granted: readonly string[];
  /** What the targets do beyond their directory and `allow` does not permit; see `--allow`. */
  missingPrivileges(allow: readonly string[]): Privilege[];
  /** What `bake --print` prints: a definition again. */
  toJSON(): BakeJson;
}

/**
 * Reads definitions and resolves what is asked for. Nothing is built, no secret is touched, and no builder unless the definition is
 * `remote`.
 *
 * @throws BakeError that names file and line; BuildError for what cannot be fetched
 */
export async function readBake(options: ReadBakeOptions = {}): Promise<BakePlan> {
  const { planBake } = await import("./plan-bake.js");
  return planBake(options);
}

/** Reads definitions, without choosing from them. Throws a BakeError that names file and line. */
export async function readDefinition(options: ReadBakeOptions): Promise<BakeDefinition> {
  const { definitionOf } = await import("./plan-bake.js");
  return definitionOf(options);
}
