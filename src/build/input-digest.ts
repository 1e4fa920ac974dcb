import { createHash } from "node:crypto";
import { join } from "node:path";
import { types } from "node:util";
import { toJson } from "@bufbuild/protobuf";
import { sourcepolicy } from "../buildkit/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { type WalkEntry, parseIgnoreFile, toBytes } from "../fs/index.js";
import type { SyncedDir } from "../session/index.js";
import { largestDockerfile, largestIgnoreFile } from "./input-files.js";
import type { Inputs } from "./inputs.js";
import { type TreeDigest, digestTree, readTreeFile } from "./input-digest-tree.js";
import type { SolvePlan } from "./solve-plan.js";

/** Directories of a build with their digests, by mount name. */
export type LocalDigests = ReadonlyMap<string, TreeDigest>;

/** Options of {@link digestLocals}. */
export interface DigestLocalsOptions {
  /** Where digests of files are remembered between calls; undefined for nowhere. */
  cacheDir: string | undefined;
  /** Told of each entry of a directory; of a file with the digest of its content. */
  onEntry?: DigestedEntry;
  signal?: AbortSignal | undefined;
}

/** An entry of the directory that is mounted as `name`. */
export type DigestedEntry = (name: string, entry: WalkEntry, digest: Buffer | undefined) => void;

/**
 * Digests of what the build's directories would send, each with the ignore file that the frontend asks for (BK
 * frontend/dockerui): the context's is `<Dockerfile>.dockerignore` beside the Dockerfile, else `.dockerignore` in the
 * context; a named context has its own `.dockerignore`. Of the Dockerfile's directory only the Dockerfile counts, by its content.
 */
export async function digestLocals(
  { attrs, locals }: Pick<Inputs, "attrs" | "locals">,
  { cacheDir, onEntry, signal }: DigestLocalsOptions,
): Promise<LocalDigests> {
  const filename = toBytes(attrs["filename"] ?? "Dockerfile");
  const digests = new Map<string, TreeDigest>();
  for (const [name, dir] of locals) {
    if (name === "dockerfile") {
      const content = (await readTreeFile(dir, filename, largestDockerfile)) ?? Buffer.alloc(0);
      digests.set(name, { digest: sha256(content), entries: 1, bytes: content.length });
      continue;
    }
    const exclude = await ignoredBy(name, dir, { attrs, locals });
    digests.set(
      name,
      await digestTree(dir, {
        exclude,
        cachePath: cachePath(dir, cacheDir),
        ...(onEntry && { onEntry: (entry, digest) => onEntry(name, entry, digest) }),
        signal,
      }),
    );
  }
  return digests;
}

/** Patterns of what a context does not send. */
export async function ignoredBy(
  name: string,
  dir: SyncedDir,
  { attrs, locals }: Pick<Inputs, "attrs" | "locals">,
): Promise<ReturnType<typeof parseIgnoreFile>> {
  const filename = toBytes(attrs["filename"] ?? "Dockerfile");
  const beside = name === "context" ? locals.get("dockerfile") : undefined;
  const ignored =
    (beside && (await readTreeFile(beside, `${filename}.dockerignore`, largestIgnoreFile))) ??
    (await readTreeFile(dir, ".dockerignore", largestIgnoreFile));
  return ignored ? parseIgnoreFile(ignored) : [];
}

function cachePath(dir: SyncedDir, cacheDir: string | undefined): string | undefined {
  if (dir.type !== "directory" || cacheDir === undefined) return undefined;
  return join(cacheDir, createHash("sha256").update(dir.path).digest("hex").slice(0, 32));
}

/** What only says where the build runs or was asked for, or what can be had from a cache. */
const circumstances = /^(?:vcs:|sharedkey:|slipway:|cache-imports$)/;

/**
 * Digest of everything that decides what a build gives, as far as this side knows: contexts, Dockerfile and the attributes
 * of the frontend; of secrets and agents the ids. Left out are outputs, tags, caches, the commit, proxies from the docker
 * config, and all that names this machine.
 *
 * @param omit attributes that come from this machine's configuration.
 * @throws InvalidArgumentError for an archive that can be read only once.
 */
export function inputDigest(
  plan: SolvePlan,
  locals: LocalDigests,
  { omit, secrets }: { omit: ReadonlyMap<string, string>; secrets: readonly string[] },
): string {
  const { inputs } = plan;
  const attrs = Object.entries(plan.attrs).filter(
    ([key, value]) => !circumstances.test(key) && omit.get(key) !== value,
  );
  const uploads = [...inputs.uploads].map(([id, archive]): [string, string] => {
    if (!types.isUint8Array(archive))
      throw new InvalidArgumentError(
        "the input digest of a context from a tar stream cannot be told without reading it; give the archive's bytes",
      );
    return [id, sha256(archive)];
  });
  // Ids made up for this call stand for what they name.
  const named = (value: string) => {
    let text = value;
    for (const [id, digest] of uploads) text = text.replaceAll(id, digest);
    for (const id of inputs.ociLayouts.keys()) text = text.replaceAll(id, "layout");
    return text;
  };
  const parts = {
    version: 1,
    frontend: plan.frontend,
    attrs: attrs.map(([key, value]) => [key, named(value)]).sort(byKey),
    locals: [...locals].map(([name, { digest }]) => [name, digest]).sort(byKey),
    engineContexts: [...inputs.engineContexts].sort(byKey),
    entitlements: [...plan.entitlements].sort(),
    ssh: plan.serves.ssh.map(({ id }) => id).sort(),
    secrets: [...secrets].sort(),
    sourcePolicy: plan.sourcePolicy && toJson(sourcepolicy.PolicySchema, plan.sourcePolicy),
  };
  return sha256(Buffer.from(JSON.stringify(parts)));
}

function byKey([a = ""]: readonly string[], [b = ""]: readonly string[]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sha256(data: Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}
