import { lstatSync, readdirSync, unlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseJson, readOptions } from "../../core/index.js";
import { isJsonObject, textOf } from "../../config/index.js";
import { processWide } from "../../core/index.js";
import {
  FileReadError,
  type OpenDirectory,
  closeDirectory,
  lockFile,
  makeDirectory,
  readIfThere,
  selfPath,
  writeFileAtomic,
} from "../../fs/index.js";
import { isIndexType, isManifestType, mediaTypes, readDescriptor } from "../../registry/index.js";
import { SessionError } from "../session-error.js";
import { putDescriptorKinds, readOciIndexKinds } from "../option-kinds.js";
import { parseDigest } from "./digest.js";
import { ForeignDirectoryError, inDirectory, openLayoutDirectory } from "./layout-directory.js";

/** Largest index or manifest read, in bytes (SEC-34). */
const maxJson = 4 * 1024 * 1024;

const imageName = "io.containerd.image.name";
const refName = "org.opencontainers.image.ref.name";

/** A reference to a blob (OCI image-spec 1.1, descriptor.md). Fields that are not named here are kept. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  /** Bytes. */
  size: number;
  annotations?: Record<string, string>;
  [field: string]: unknown;
}

/** `index.json` of a layout. */
export interface OciIndex {
  schemaVersion: 2;
  mediaType?: string;
  manifests: Descriptor[];
  [field: string]: unknown;
}

/** Options of {@link putDescriptor}. A tag names within the layout, a name is an image's in full. */
export interface PutDescriptorOptions {
  tag?: string;
  name?: string;
  signal?: AbortSignal | undefined;
}

/**
 * Reads a layout's index; undefined when there is none.
 * @throws SessionError SESSION_OCI_INDEX when it is not an index
 */
export async function readOciIndex(
  layout: string,
  options: { followLinks?: boolean } = {},
): Promise<OciIndex | undefined> {
  const { followLinks = true } = readOptions("readOciIndex()", options, readOciIndexKinds);
  const path = join(layout, "index.json");
  const value = await readJson(path, followLinks);
  return value === undefined ? undefined : checkIndex(path, value);
}

/** Checks that a value is an index. @throws SessionError */
function checkIndex(path: string, value: unknown): OciIndex {
  // A document that is a manifest and an index at once means different things to different readers (CVE-2021-41190).
  const valid =
    isJsonObject(value) &&
    value["schemaVersion"] === 2 &&
    value["layers"] === undefined &&
    (value["mediaType"] === undefined ||
      value["mediaType"] === "" ||
      value["mediaType"] === mediaTypes.ociIndex) &&
    (value["manifests"] === undefined || value["manifests"] === null || isDescriptorList(value["manifests"]));
  if (!valid) throw new SessionError("SESSION_OCI_INDEX", `${path} is not an OCI image index`);
  return { ...value, schemaVersion: 2, manifests: (value["manifests"] ?? []) as Descriptor[] };
}

/**
 * Finds a manifest by the full name of an image or by its tag in the layout, in this order (buildkit
 * client/ociindex). Undefined when there is none of that name, or no index.
 */
export async function findDescriptor(layout: string, nameOrTag: string): Promise<Descriptor | undefined> {
  const manifests = (await readOciIndex(layout))?.manifests ?? [];
  return (
    manifests.find(({ annotations }) => annotations?.[imageName] === nameOrTag) ??
    manifests.find(({ annotations }) => annotations?.[refName] === nameOrTag)
  );
}

/**
 * Puts a manifest into a layout's index under a tag or a name, in place of what had it, and makes the directory a layout
 * (`oci-layout`). Other programs that write the index wait for each other by the lock `index.json.lock`, as buildx does.
 *
 * @throws SessionError SESSION_OCI_INDEX when the index could not be read any more; it stays as it is then
 */
export async function putDescriptor(
  layout: string,
  descriptor: Descriptor,
  options: PutDescriptorOptions = {},
): Promise<void> {
  const { tag, name, signal } = readOptions("putDescriptor()", options, putDescriptorKinds);
  await makeDirectory(layout, 0o755);
  await withIndexLock(layout, signal, async () => {
    await writeFileAtomic(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}', { mode: 0o644 });
    // A link there could bring in what is somebody else's.
    const index = (await readOciIndex(layout, { followLinks: false })) ?? { schemaVersion: 2, manifests: [] };
    const annotations = {
      ...descriptor.annotations,
      ...(name !== undefined && { [imageName]: name, [refName]: objectOf(name) }),
      ...(tag !== undefined && { [refName]: tag }),
    };
    const named = Object.keys(annotations).length > 0;
    const others = index.manifests.filter((other) => !hasSameName(other, descriptor.digest, { tag, name }));
    const next = {
      ...index,
      mediaType: index.mediaType || mediaTypes.ociIndex,
      manifests: [...others, { ...descriptor, ...(named && { annotations }) }],
    };
    const path = join(layout, "index.json");
    await writeFileAtomic(path, readableIndex(path, next), { mode: 0o644 });
  });
}

/**
 * The text of an index, checked as its readers will check it: an index that cannot be read makes its directory unusable
 * for ever.
 */
function readableIndex(path: string, index: OciIndex): string {
  const text = JSON.stringify(index);
  const why = (what: string, cause?: unknown) =>
    new SessionError("SESSION_OCI_INDEX", `${path} is left as it is: with the new manifest ${what}`, {
      cause,
    });
  const bytes = Buffer.byteLength(text);
  if (bytes > maxJson) throw why(`it would be of ${bytes} bytes, and no more than ${maxJson} are read`);
  try {
    checkIndex(path, parseJson(text));
  } catch (error) {
    throw why("it would be no OCI image index", error);
  }
  return text;
}

/** How a digest of this format looks: its algorithm's directory and the length of the name in it. */
const blobNames: Readonly<Record<string, RegExp>> = { sha256: /^[0-9a-f]{64}$/, sha512: /^[0-9a-f]{128}$/ };

/**
 * Removes all blobs that the layout's index does not lead to, over indexes and manifests (a local cache's `reset=true`;
 * buildkit client/solve.go). Nothing else goes: only regular files whose names are digests, never through a link. Returns how
 * many were removed.
 *
 * @throws SessionError when what the index leads to cannot be known; nothing is removed then
 */
export async function removeUnreferencedBlobs(layout: string, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  await withIndexLock(layout, signal, async () => {
    const keep = new Set<string>();
    const queue = (await readOciIndex(layout))?.manifests ?? [];
    for (let next = queue.pop(); next; next = queue.pop()) {
      if (keep.has(next.digest)) continue;
      keep.add(next.digest);
      if (isParent(next)) queue.push(...(await childrenOf(layout, next)));
    }
    for (const [algorithm, names] of Object.entries(blobNames)) {
      const directory = ownDirectory(layout, algorithm);
      if (!directory) continue;
      try {
        for (const name of readdirSync(selfPath(directory))) {
          if (!names.test(name) || keep.has(`${algorithm}:${name}`)) continue;
          const path = inDirectory(directory, name);
          if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) continue;
          unlinkSync(path);
          removed++;
        }
      } finally {
        closeDirectory(directory);
      }
    }
  });
  return removed;
}

function ownDirectory(layout: string, algorithm: string): OpenDirectory | undefined {
  try {
    return openLayoutDirectory(layout, "blobs", algorithm);
  } catch (error) {
    if (error instanceof ForeignDirectoryError || (error as NodeJS.ErrnoException).code === "ENOENT")
      return undefined;
    throw error;
  }
}

/** Work on indexes of this process that waits or is under way, by path of the lock. */
// Shared by all copies of this library in the process (`import` beside `require`, two bundles).
const queues = processWide("slipway.index-locks", () => new Map<string, Promise<void>>());

/**
 * One at a time: within this process in a queue, and among processes by a lock that is removed afterwards, as buildx
 * does. Since the lock is removed, a process that waits for the old file and one that makes a new one can both get in.
 * Hence the queue within this process.
 */
async function withIndexLock(
  layout: string,
  signal: AbortSignal | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const path = resolve(layout, "index.json.lock");
  const turn = (queues.get(path) ?? Promise.resolve()).then(async () => {
    await using _lock = await lockFile(path, { ...(signal && { signal }) });
    try {
      await work();
    } finally {
      await rm(path, { force: true });
    }
  });
  const settled = turn.catch(() => {});
  queues.set(path, settled);
  try {
    await turn;
  } finally {
    if (queues.get(path) === settled) queues.delete(path);
  }
}

/** True when putting a manifest under the tag or name takes the place of `other`. */
function hasSameName(
  other: Descriptor,
  digest: string,
  { tag, name }: { tag: string | undefined; name: string | undefined },
): boolean {
  if (name !== undefined) return other.annotations?.[imageName] === name;
  if (tag !== undefined) return other.annotations?.[refName] === tag;
  return other.digest === digest && other.annotations?.[refName] === undefined;
}

/** The tag or digest at the end of an image's name, e.g. `1.2` of `docker.io/library/app:1.2`. */
function objectOf(name: string): string {
  const last = name.slice(name.lastIndexOf("/") + 1);
  const at = last.indexOf("@");
  return at >= 0 ? last.slice(at + 1) : last.slice(last.indexOf(":") + 1);
}

function isParent({ mediaType }: Descriptor): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

/** What an index or a manifest refers to; one that is missing refers to nothing. @throws SessionError for one that is unreadable */
async function childrenOf(layout: string, parent: Descriptor): Promise<Descriptor[]> {
  const { algorithm, hex } = parseDigest(parent.digest);
  const value = await readJson(join(layout, "blobs", algorithm, hex));
  if (value === undefined) return [];
  if (!isJsonObject(value))
    throw new SessionError("SESSION_OCI_INDEX", `blob ${parent.digest} is no manifest`);
  const { manifests, layers, config, blobs } = value;
  return [manifests, layers, blobs, [config]].flatMap((list) =>
    Array.isArray(list) ? (list as unknown[]).filter(isDescriptor) : [],
  );
}

async function readJson(path: string, followLinks = true): Promise<unknown> {
  let text: string;
  try {
    text = textOf((await readIfThere(path, { limit: maxJson, followLinks })) ?? Buffer.alloc(0));
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw new SessionError("SESSION_OCI_INDEX", error.message, { cause: error });
  }
  if (text === "") return undefined;
  try {
    return parseJson(text);
  } catch (cause) {
    throw new SessionError("SESSION_OCI_INDEX", `${path} is not JSON`, { cause });
  }
}

function isDescriptorList(value: unknown): value is Descriptor[] {
  return Array.isArray(value) && value.every(isDescriptor);
}

function isDescriptor(value: unknown): value is Descriptor {
  return readDescriptor(value) !== undefined;
}
