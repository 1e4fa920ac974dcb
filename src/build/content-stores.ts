import { mkdir } from "node:fs/promises";
import { ContentStore, type Descriptor, putDescriptor, removeUnreferencedBlobs } from "../session/index.js";
import { InvalidArgumentError, messageOf } from "../core/index.js";
import { isJsonObject, parseGoBool } from "../config/index.js";
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
  const cache = descriptorOf(response.get("cache.manifest"));
  for (const { type, attrs } of plan.caches.exports) {
    if (type !== "local" || !cache) continue;
    const { dest = "", tag = "latest", reset = "" } = attrs;
    await putDescriptor(dest, cache, { tag, signal });
    if (parseGoBool(reset) === true) await removeUnreferencedBlobs(dest, signal);
  }
  const encoded = response.get("containerimage.descriptor");
  const image = encoded && descriptorOf(Buffer.from(encoded, "base64").toString("utf8"));
  if (!image) return;
  for (const { destination } of plan.exports) {
    if (destination.kind !== "layout") continue;
    const names = response.get("image.name")?.split(",") ?? [];
    if (names.length === 0) await putDescriptor(destination.path, image, { tag: "latest", signal });
    for (const name of names) await putDescriptor(destination.path, image, { name, signal });
  }
}

function descriptorOf(json: string | undefined): Descriptor | undefined {
  if (!json) return undefined;
  const value: unknown = JSON.parse(json);
  return isJsonObject(value) ? (value as Descriptor) : undefined;
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
