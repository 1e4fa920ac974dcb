import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidArgumentError } from "../../core/index.js";
import { type Descriptor, type StoredManifest, descriptorJson, parseManifest } from "../../registry/index.js";
import { ImageCopier } from "../image-tools/copy-image.js";
import { oneChunk } from "../image-tools/image-store.js";
import { LayoutStore } from "../image-tools/layout-store.js";
import type { ImageStores } from "../image-tools/open-stores.js";
import { replayErrors } from "./replay-error.js";
import { platformJson } from "./replay-plan.js";
import { type ReplayTarget, openSubjectStores, readTargets } from "./replay-target.js";
import { parseMaterialSpecs } from "./material-specs.js";
import { emptyConfig, materialsManifest, snapshotIndex } from "./snapshot-format.js";
import { type KeptMaterial, SnapshotMaterials } from "./snapshot-materials.js";
import type { SnapshotOptions, SnapshotPlan } from "./snapshot-options.js";
import { packLayout } from "./layout-archive.js";

/** See `snapshotReplay()`. */
export async function snapshotSubject(input: string, options: SnapshotOptions): Promise<SnapshotPlan> {
  const { output, dryRun = false } = options;
  if (!dryRun && output === undefined)
    throw new InvalidArgumentError("snapshotReplay() needs the option output, or dryRun");
  await using stores = await openSubjectStores(options);
  const specs = await parseMaterialSpecs(options.materials ?? []);
  const targets = await readTargets(input, options, stores);
  for (const { subject } of targets) {
    if (!subject.location)
      throw replayErrors.unsupportedSubject("snapshot requires an image or oci-layout subject");
    if (!subject.attestation) throw replayErrors.noProvenance(subject.input, subject);
  }
  if (dryRun || !output)
    return await planned(targets, new SnapshotMaterials({ stores, specs, options, path: "" }), options);
  if ("layout" in output) return await written(output.layout, targets, { stores, specs, options });
  const path = await mkdtemp(join(tmpdir(), "slipway-snapshot-"));
  try {
    const plan = await written(path, targets, { stores, specs, options });
    await packLayout(path, output.tar, options.signal);
    return plan;
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function planned(
  targets: readonly ReplayTarget[],
  materials: SnapshotMaterials,
  { includeMaterials = true }: SnapshotOptions,
): Promise<SnapshotPlan> {
  const plan: SnapshotPlan = [];
  for (const target of targets)
    plan.push({ subject: subjectOf(target), materials: await materials.plan(target, includeMaterials) });
  return plan;
}

interface Writing {
  stores: ImageStores;
  specs: Awaited<ReturnType<typeof parseMaterialSpecs>>;
  options: SnapshotOptions;
}

async function written(
  path: string,
  targets: readonly ReplayTarget[],
  writing: Writing,
): Promise<SnapshotPlan> {
  const { options } = writing;
  const location = { kind: "layout" as const, path, tag: "latest" };
  const layout = new LayoutStore();
  const materials = new SnapshotMaterials({ ...writing, path });
  const write = (manifest: StoredManifest) => layout.writeManifest(location, manifest);
  const indexes: Descriptor[] = [];
  let last: StoredManifest | undefined;
  for (const target of targets) {
    const kept = options.includeMaterials === false ? undefined : await materials.keep(target);
    last = await targetIndex(target, kept, { ...writing, path, write });
    await write(last);
    const { platform } = subjectOf(target);
    indexes.push({ ...last.descriptor, ...(platform && { platform }) });
  }
  const root = indexes.length === 1 && last ? last : snapshotIndex(indexes);
  await layout.publish(location, root, { signal: options.signal });
  return planned(targets, materials, options);
}

/** The index of one platform, with all that it leads to in its place. */
async function targetIndex(
  { subject }: ReplayTarget,
  kept: KeptMaterial[] | undefined,
  {
    stores,
    options,
    path,
    write,
  }: Writing & { path: string; write: (manifest: StoredManifest) => Promise<void> },
): Promise<StoredManifest> {
  const { location, attestation } = subject;
  if (!location || !attestation) throw replayErrors.noProvenance(subject.input, subject);
  const to = { kind: "layout" as const, path };
  {
    using copier = new ImageCopier(stores, to, options.signal);
    await copier.copyAll([{ source: location, descriptor: attestation }]);
  }
  const { content } = await stores.of(location).readManifest(location, attestation.digest, {
    signal: options.signal,
  });
  const { artifactType } = parseManifest(content, undefined, attestation.digest);
  // What an index says of its entries is about that index.
  const { annotations: _, ...about } = attestation;
  const own = { ...about, ...(artifactType !== undefined && { artifactType }) };
  if (!kept) return snapshotIndex([], { subject: own });
  const empty = Buffer.from("{}");
  await new LayoutStore().writeBlob(to, emptyConfig, { location: to, read: () => oneChunk(empty) });
  const manifest = materialsManifest(kept.flatMap(({ layer }) => layer ?? []));
  await write(manifest);
  const images = new Map(kept.flatMap(({ manifest: one }) => (one ? [[one.digest, one] as const] : [])));
  return snapshotIndex([manifest.descriptor, ...images.values()], { subject: own });
}

function subjectOf({ subject: { descriptor, platform } }: ReplayTarget): Descriptor {
  return descriptorJson({
    ...descriptor,
    ...(platform && { platform: platformJson(platform) }),
  }) as Descriptor;
}
