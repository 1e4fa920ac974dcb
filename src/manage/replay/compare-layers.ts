import { createHash } from "node:crypto";
import { displayPath } from "../../fs/index.js";
import type { Descriptor } from "../../registry/index.js";
import type { ReplayDifference } from "./difference.js";
import { type LayerEntry, readLayerTar } from "./layer-tar.js";
import { unpackLayer } from "./unpack-layer.js";

/** Entries of one layer that are compared one by one. */
const mostEntries = 500_000;
/** Differences of one layer that are told. */
export const mostDifferences = 1000;

/** A layer, wherever its bytes are. */
export interface LayerBlob {
  descriptor: Descriptor;
  read: () => AsyncIterable<Buffer>;
}

interface Known extends LayerEntry {
  /** Of a file's content. */
  digest: string;
  /** Place in the archive. */
  index: number;
}

type FileDifference = Omit<ReplayDifference, "part" | "layer" | "createdBy">;

/** In what two layers differ, file by file: all that an archive says of each. */
export async function compareLayers(expected: LayerBlob, actual: LayerBlob): Promise<FileDifference[]> {
  const known = new Map<string, Known>();
  for await (const entry of entriesOf(expected)) {
    known.set(entry.path, entry);
    if (known.size > mostEntries)
      return [{ field: "digest", expected: expected.descriptor.digest, actual: actual.descriptor.digest }];
  }
  const found: FileDifference[] = [];
  const add = (difference: FileDifference) => {
    if (found.length < mostDifferences) found.push(difference);
  };
  let inOrder = true;
  for await (const entry of entriesOf(actual)) {
    const before = known.get(entry.path);
    known.delete(entry.path);
    if (!before) {
      add({ path: displayPath(entry.path), field: "extra", actual: entry.type });
      continue;
    }
    inOrder &&= before.index === entry.index;
    for (const difference of compareEntries(before, entry)) add(difference);
  }
  for (const { path, type } of known.values())
    add({ path: displayPath(path), field: "missing", expected: type });
  if (found.length > 0) return found;
  // The same files: what differs is how they are packed.
  if (!inOrder) return [{ field: "order", expected: "the same files", actual: "in another order" }];
  const { descriptor: a } = expected;
  const { descriptor: b } = actual;
  return [
    {
      field: "compression",
      expected: `${a.mediaType}, ${a.size} bytes`,
      actual: `${b.mediaType}, ${b.size} bytes`,
    },
  ];
}

async function* entriesOf({ descriptor, read }: LayerBlob): AsyncGenerator<Known> {
  let hash = createHash("sha256");
  let index = 0;
  const archive = unpackLayer(read(), descriptor.mediaType);
  for await (const entry of readLayerTar(archive, descriptor.digest, (chunk) => hash.update(chunk))) {
    yield { ...entry, digest: `sha256:${hash.digest("hex")}`, index: index++ };
    hash = createHash("sha256");
  }
}

function compareEntries(a: Known, b: Known): FileDifference[] {
  const path = displayPath(a.path);
  if (a.type !== b.type) return [{ path, field: "type", expected: a.type, actual: b.type }];
  const fields = [
    ["mode", octal(a.mode), octal(b.mode)],
    ["owner", a.owner, b.owner],
    ["time", timeText(a.time), timeText(b.time)],
    ["size", String(a.size), String(b.size)],
    ["content", a.digest, b.digest],
    ["link", displayPath(a.link), displayPath(b.link)],
    ["device", a.device, b.device],
    ["xattr", xattrText(a), xattrText(b)],
  ] as const;
  return fields
    .filter(([, expected, actual]) => expected !== actual)
    .map(([field, expected, actual]) => ({ path, field, expected, actual }));
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}

/** A time as people read it, as far as it can be one. */
function timeText(seconds: string): string {
  const date = new Date(Math.floor(Number(seconds)) * 1000);
  const fraction = /\.(\d*[1-9])0*$/.exec(seconds)?.[1];
  if (Number.isNaN(date.getTime())) return seconds;
  return date.toISOString().replace(/\.000Z$/, fraction === undefined ? "Z" : `.${fraction}Z`);
}

function xattrText({ xattrs }: LayerEntry): string {
  const sorted = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted
    .map(([name, value]) => `${displayPath(name)}=${Buffer.from(value, "latin1").toString("base64")}`)
    .join(" ");
}
