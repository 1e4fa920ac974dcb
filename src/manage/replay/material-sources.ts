import { Readable } from "node:stream";
import type { PlanChange } from "../../build/index.js";
import { randomId } from "../../core/index.js";
import { formatReference } from "../../registry/index.js";
import { type MaterialSpecs, parseMaterialSpecs } from "./material-specs.js";
import { type LocalContent, findMaterial, readLocalContent } from "./material-store.js";
import { type Material, gitSubdirectory } from "./materials.js";
import type { SourceReplacement } from "./pinned-sources.js";
import { replayErrors } from "./replay-error.js";
import type { ReplayOptions } from "./replay-options.js";
import type { ReplayTarget } from "./replay-target.js";
import { commitKey } from "./snapshot-format.js";
import { takenMaterials } from "./taken-materials.js";

type Inputs = Parameters<PlanChange>[0]["inputs"];

/** Materials that a replay has from here, and what serves them. */
export interface MaterialSources extends AsyncDisposable {
  substitutes: ReadonlyMap<string, SourceReplacement>;
  /** The inputs of a build with what serves the materials. */
  addTo(inputs: Inputs): Inputs;
}

/**
 * Finds the materials of a target in the places that are given.
 *
 * @throws ReplayError `REPLAY_MATERIAL_NOT_FOUND` for one that is in none of them, where nothing is to be fetched
 */
export async function openMaterials(target: ReplayTarget, options: ReplayOptions): Promise<MaterialSources> {
  const specs = await parseMaterialSpecs(options.materials ?? []);
  const substitutes = new Map<string, SourceReplacement>();
  const uploads = new Map<string, Readable>();
  const ociLayouts = new Map<string, { path: string; digest: string }>();
  const isPlain = specs.stores.length === 0 && specs.overrides.size === 0;
  if (!isPlain && options.mode === "frontend")
    throw replayErrors.unsupported("replay build with explicit --materials sources in the mode frontend");
  for (const material of isPlain ? [] : takenMaterials(target.provenance)) {
    const found = await findOrRefuse(specs, material);
    if (!found || material.digest === undefined) continue;
    if (material.kind === "http") {
      const id = randomId();
      uploads.set(id, Readable.from(readLocalContent(found), { objectMode: false }));
      const identifier = `http://buildkit-session/${id}`;
      substitutes.set(material.digest, {
        identifier,
        attrs: { "http.checksum": material.digest },
        keeps: true,
      });
    } else if (!("file" in found)) {
      const id = randomId();
      ociLayouts.set(id, { path: found.store.path, digest: found.digest });
      const identifier = `oci-layout://${layoutName(material)}@${found.digest}`;
      const key =
        material.kind === "git" ? commitKey(material.digest, gitSubdirectory(material.uri)) : material.digest;
      substitutes.set(key, { identifier, attrs: { "oci.store": id } });
    }
  }
  return {
    substitutes,
    addTo: (inputs) => ({
      ...inputs,
      uploads: new Map([...inputs.uploads, ...uploads]),
      ociLayouts: new Map([...inputs.ociLayouts, ...ociLayouts]),
    }),
    async [Symbol.asyncDispose]() {
      for (const stream of uploads.values()) stream.destroy();
      await Promise.resolve();
    },
  };
}

async function findOrRefuse(specs: MaterialSpecs, material: Material): Promise<LocalContent | undefined> {
  const found = await findMaterial(specs, material);
  if (found || specs.recorded) return found;
  throw replayErrors.materialNotFound(material.uri, material.digest ?? "");
}

/** A name that a reference may have; what counts is the digest. */
function layoutName({ image }: Material): string {
  if (!image) return "slipway.dev/replay/git:commit";
  const { digest: _, ...name } = image.reference;
  return formatReference(name);
}
