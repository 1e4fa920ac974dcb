import { CacheLock, ContentStore, putDescriptor, removeUnreferencedBlobs } from "../session/index.js";
import { type EventSink, InvalidArgumentError, messageOf, throwIfAborted } from "../core/index.js";
import { parseGoBool } from "../config/index.js";
import { BuilderClaimError } from "./asked-names.js";
import { localCacheName } from "./local-cache-name.js";
import { cacheDescriptor, imageDescriptor } from "./exporter-response.js";
import type { SolvePlan } from "./solve-plan.js";
import { makeDirectory } from "../fs/index.js";

/**
 * The directories that the builder reads blobs from and writes them to in a build, by the ids it knows them under
 * (protocol: BK client/solve.go): `oci:<id>` for layouts used as contexts, `local:<dir>` for local caches, `export` for an
 * output with `tar=false`. Directories written to are made.
 *
 * @throws InvalidArgumentError for one that cannot be made.
 */
export async function contentStores(
  plan: SolvePlan,
  locks: ReadonlyMap<string, CacheLock>,
): Promise<Map<string, ContentStore>> {
  const stores = new Map<string, ContentStore>();
  for (const [id, { path }] of plan.inputs.ociLayouts) stores.set(`oci:${id}`, new ContentStore(path));
  for (const { type, attrs } of plan.caches.imports)
    if (type === "local") stores.set(localStoreId(attrs["src"]), new ContentStore(attrs["src"] ?? ""));
  for (const { type, attrs } of plan.caches.exports)
    if (type === "local") {
      const dest = attrs["dest"] ?? "";
      await makePlace(dest, "cache");
      const beforeWrite = () => locks.get(dest)?.share() ?? Promise.resolve();
      stores.set(localStoreId(dest), new ContentStore(dest, { access: "read-write", beforeWrite }));
    }
  for (const { destination } of plan.exports)
    if (destination.kind === "layout") {
      await makePlace(destination.path, "output");
      stores.set("export", new ContentStore(destination.path, { access: "read-write" }));
    }
  return stores;
}

function localStoreId(dir = ""): string {
  return `local:${localCacheName(dir)}`;
}

/** The locks of the local caches that a plan writes, by directory. Whoever has them closes them when the build has ended. */
export function cacheLocks(plan: SolvePlan): Map<string, CacheLock> {
  const caches = plan.caches.exports.filter(({ type }) => type === "local");
  return new Map(caches.map(({ attrs: { dest = "" } }) => [dest, new CacheLock(dest)]));
}

/** What {@link nameExported} works with. */
export interface NamingContext {
  locks: ReadonlyMap<string, CacheLock>;
  sink: EventSink;
  signal?: AbortSignal | undefined;
}

/**
 * Names in their layouts what the builder wrote: the cache's manifest under its tag, the image under its names or
 * `latest`. With `reset=true` a cache then loses what its index does not lead to, unless another export is under way there.
 */
export async function nameExported(
  plan: SolvePlan,
  response: ReadonlyMap<string, string>,
  { locks, sink, signal }: NamingContext,
): Promise<void> {
  const cache = cacheDescriptor(response);
  const caches = cache ? plan.caches.exports.filter(({ type }) => type === "local") : [];
  for (const { attrs } of caches)
    if (cache) {
      const { dest = "", tag = "latest" } = attrs;
      await requireBlob(dest, cache.digest, "cache.manifest");
      await putDescriptor(dest, { ...cache }, { tag, signal });
    }
  // All shares are given up before anything is reset: the same directory may be named twice.
  for (const lock of locks.values()) await lock.close();
  for (const { attrs } of caches) {
    const { dest = "", reset = "" } = attrs;
    const why = parseGoBool(reset) === true ? await resetCache(dest, locks.get(dest), signal) : undefined;
    if (why !== undefined)
      sink({ type: "message", level: "warning", text: `local cache ${dest} was not reset: ${why}` });
  }
  const image = imageDescriptor(response);
  if (!image) return;
  for (const { destination } of plan.exports) {
    if (destination.kind !== "layout") continue;
    await requireBlob(destination.path, image.digest, "containerimage.descriptor");
    const names = response.get("image.name")?.split(",").filter(Boolean) ?? [];
    if (names.length === 0) await putDescriptor(destination.path, { ...image }, { tag: "latest", signal });
    for (const name of names) await putDescriptor(destination.path, { ...image }, { name, signal });
  }
}

/** An index that leads to a blob which is not there makes the whole directory unusable. */
async function requireBlob(layout: string, digest: string, key: string): Promise<void> {
  if (!(await new ContentStore(layout).has(digest)))
    throw new BuilderClaimError(
      `the builder answered ${digest} as ${key}, which it has not written to ${layout}`,
    );
}

/** Why it was not done, if it was not: what was exported is there all the same (BK client/solve.go warns as well). */
async function resetCache(
  dest: string,
  lock: CacheLock | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const isDone = await lock?.alone(async () => void (await removeUnreferencedBlobs(dest, signal)), signal);
    return isDone ? undefined : "another build is exporting to it";
  } catch (error) {
    throwIfAborted(signal);
    return messageOf(error);
  }
}

async function makePlace(path: string, what: string): Promise<void> {
  try {
    await makeDirectory(path, 0o755);
  } catch (error) {
    throw new InvalidArgumentError(`${what} directory ${path} cannot be made: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
