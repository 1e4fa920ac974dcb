import type { EngineClient } from "../../engine-api/index.js";
import type { ImageManifest } from "./image-content.js";

/** Images of a classic store that are looked at for shared layers, at most. */
const mostCandidates = 64;

/**
 * Digests of the layers that a classic (graph driver) store need not be sent: it finds layers by chain id, so only the leading
 * layers shared with one of its images may be left out (design.md decision 8).
 *
 * @param names where an earlier version of the image is likely to be found.
 */
export async function classicHoldings(
  engine: EngineClient,
  manifest: ImageManifest,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Set<string>> {
  const inspect = (id: string) => engine.images.inspect(id, { signal }).catch(() => undefined);
  const { diffIds, layers } = manifest;
  if (diffIds.length !== layers.length) return new Set();
  let best = 0;
  const consider = (found: readonly string[]) => {
    let shared = 0;
    while (shared < diffIds.length && found[shared] === diffIds[shared]) shared += 1;
    best = Math.max(best, shared);
  };
  for (const image of await Promise.all(names.map(inspect))) consider(image?.RootFS.Layers ?? []);
  // All but the last layers shared with the earlier version: looking further would find little more.
  if (best < diffIds.length - 1) {
    const images = await engine.images.list({ signal });
    const recent = [...images].sort((a, b) => b.Created - a.Created).slice(0, mostCandidates);
    for (const image of await Promise.all(recent.map(({ Id }) => inspect(Id))))
      consider(image?.RootFS.Layers ?? []);
  }
  // A layer that comes again further up must be sent for that place.
  const sent = new Set(layers.slice(best).map(({ digest }) => digest));
  const shared = layers.slice(0, best).map(({ digest }) => digest);
  return new Set(shared.filter((digest) => !sent.has(digest)));
}

/**
 * Manifests that a containerd store holds whole, by digest, of those that are asked for: all their blobs are there and need not
 * be sent. Engines before API 1.47 do not tell; the set is then empty.
 */
export async function containerdHoldings(engine: EngineClient, signal?: AbortSignal): Promise<Set<string>> {
  const available = new Set<string>();
  for (const image of await engine.images.list({ manifests: true, signal }))
    for (const manifest of image.Manifests ?? [])
      if (manifest.Available) available.add(manifest.Descriptor.digest);
  return available;
}
