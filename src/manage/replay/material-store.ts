import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { isSlipwayError } from "../../core/index.js";
import {
  DigestVerifier,
  isDigest,
  isIndexType,
  parseManifest,
  readDescriptor,
} from "../../registry/index.js";
import { ContentStore, readOciIndex } from "../../session/index.js";
import { LayoutStore } from "../image-tools/layout-store.js";
import type { MaterialSpecs, MaterialStore } from "./material-specs.js";
import { type Material, gitSubdirectory } from "./materials.js";
import { replayErrors } from "./replay-error.js";
import { commitAnnotation, commitKey } from "./snapshot-format.js";

/** Content that is here: a blob in a store, or a file of which one is given. */
export type LocalContent =
  { store: MaterialStore; digest: string; size: number } | { file: string; size: number };

/** Where a material is, of all that were given; undefined when it is in none of them. */
export async function findMaterial(
  specs: MaterialSpecs,
  { uri, kind, digest = "" }: Pick<Material, "uri" | "digest" | "kind">,
): Promise<LocalContent | undefined> {
  const key = kind === "git" ? commitKey(digest, gitSubdirectory(uri)) : digest;
  const override = specs.overrides.get(uri) ?? specs.overrides.get(digest);
  if (override) {
    const found = "file" in override ? await fileWith(override.file, digest) : await inStore(override, key);
    if (!found) throw replayErrors.materialNotFound(uri, digest);
    return found;
  }
  for (const store of specs.stores) {
    const found = await inStore(store, key);
    if (found) return found;
  }
  return undefined;
}

/** A file that must be the material itself. @throws ReplayError when it is not */
async function fileWith(file: string, digest: string): Promise<LocalContent> {
  const handle = await open(file);
  try {
    if (!isDigest(digest)) throw replayErrors.materialNotFound(file, digest);
    const verifier = new DigestVerifier(digest);
    let size = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false })) {
      verifier.update(chunk as Buffer);
      size += (chunk as Buffer).length;
    }
    if (!verifier.matches())
      throw replayErrors.subject(`override file ${file} has another digest than the recorded ${digest}`);
    return { file, size };
  } finally {
    await handle.close();
  }
}

async function inStore(store: MaterialStore, digest: string): Promise<LocalContent | undefined> {
  const wanted = isDigest(digest) ? digest : await gitImage(store, digest);
  if (wanted === undefined) return undefined;
  try {
    const { size } = await new ContentStore(store.path).info(wanted);
    return { store, digest: wanted, size };
  } catch (error) {
    if (isSlipwayError(error) || (error as { grpcCode?: unknown }).grpcCode !== undefined) return undefined;
    throw error;
  }
}

/** The image that a snapshot keeps the files of a commit in. */
async function gitImage({ path, isLayout }: MaterialStore, commit: string): Promise<string | undefined> {
  if (!isLayout || commit === "") return undefined;
  const index = await readOciIndex(path);
  const layout = new LayoutStore();
  const seen = new Set<string>();
  const queue = (index?.manifests ?? []).flatMap((entry) => readDescriptor(entry) ?? []);
  for (let next = queue.shift(); next; next = queue.shift()) {
    if (next.annotations?.[commitAnnotation] === commit) return next.digest;
    if (seen.has(next.digest) || seen.size > mostIndexes || !isIndexType(next.mediaType)) continue;
    seen.add(next.digest);
    const { content } = await layout.readManifest({ kind: "layout", path }, next.digest);
    const manifest = parseManifest(content, next.mediaType, next.digest);
    if (manifest.kind === "index") queue.push(...manifest.manifests);
  }
  return undefined;
}

/** Indexes of one snapshot: one a platform. */
const mostIndexes = 200;

/** The bytes of a material that is here. They are checked where they arrive. */
export function readLocalContent(content: LocalContent): AsyncIterable<Buffer> {
  if ("file" in content) return createReadStream(content.file) as AsyncIterable<Buffer>;
  const { store, digest, size } = content;
  return new LayoutStore().readBlob({ kind: "layout", path: store.path }, { mediaType: "", digest, size });
}
