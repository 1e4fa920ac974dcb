import { mkdir } from "node:fs/promises";
import { ContentStore, putDescriptor, removeUnreferencedBlobs } from "../session/index.js";
import { InvalidArgumentError, messageOf } from "../core/index.js";
import { parseGoBool } from "../config/index.js";
import { BuilderClaimError } from "./asked-names.js";
import { cacheDescriptor, imageDescriptor } from "./exporter-response.js";
import type { SolvePlan } from "./plan.js";

/**
 * The directories that the builder reads blobs from and writes them to in a build, by the ids it knows them under
 * (protocol: BK client/solve.go): `oci:<id>` for layouts used as contexts, `local:<dir>` for local caches, `export` for an
 * output with `tar=false`. Directories written to are made.
 *
 * @throws InvalidArgumentError for one that cannot be made.
 */
export async function contentStores(plan: SolvePlan): Promise<Map<string, ContentStore>> {
  const stores = new Map<string, ContentStore>();
  for (const [id, { path }] of plan.inputs.ociLayouts) stores.set(`oci:${id}`, new ContentStore(path));
  for (const { type, attrs } of plan.caches.imports)
    if (type === "local") stores.set(`local:${attrs["src"] ?? ""}`, new ContentStore(attrs["src"] ?? ""));
  for (const { type, attrs } of plan.caches.exports)
    if (type === "local") {
      const dest = attrs["dest"] ?? "";
      await makeDirectory(dest, "cache");
      stores.set(`local:${dest}`, new ContentStore(dest, { access: "read-write" }));
    }
  for (const { destination } of plan.exports)
    if (destination.kind === "layout") {
      await makeDirectory(destination.path, "output");
      stores.set("export", new ContentStore(destination.path, { access: "read-write" }));
    }
  return stores;
}

/**
 * Names in their layouts what the builder wrote: the cache's manifest under its tag, the image under its names or
 * `latest`. With `reset=true` a cache then loses what its index does not lead to.
 */
export async function nameExported(
  plan: SolvePlan,
  response: ReadonlyMap<string, string>,
  signal?: AbortSignal,
): Promise<void> {
  const cache = cacheDescriptor(response);
  for (const { type, attrs } of plan.caches.exports) {
    if (type !== "local" || !cache) continue;
    const { dest = "", tag = "latest", reset = "" } = attrs;
    await requireBlob(dest, cache.digest, "cache.manifest");
    await putDescriptor(dest, { ...cache }, { tag, signal });
    if (parseGoBool(reset) === true) await removeUnreferencedBlobs(dest, signal);
  }
  const image = imageDescriptor(response);
  if (!image) return;
  for (const { destination } of plan.exports) {
    if (destination.kind !== "layout") continue;
    await requireBlob(destination.path, image.digest, "containerimage.descriptor");
    const names = response.get("image.name")?.split(",") ?? [];
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

async function makeDirectory(path: string, what: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new InvalidArgumentError(`${what} directory ${path} cannot be made: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
