import { createHash } from "node:crypto";
import { clone, toBinary } from "@bufbuild/protobuf";
import { pb } from "../../buildkit/index.js";
import { trimBoth } from "../../core/index.js";
import type { BuildGraph, Edge } from "./build-graph.js";

/** A cache mount of a build, whatever number of its steps have it. */
export interface CacheMount {
  /** What its file is called, without extension: the same for the same mount in every build. */
  fileName: string;
  /** What people know it by: its `id`, which is its target where none was given. */
  title: string;
  cacheOpt: pb.CacheOpt;
  /** The part of it that steps see (`source=`, or what the frontend made to give it an owner). */
  selector: string;
  /** What it begins with: `from=`, or a directory of an owner and mode. */
  base?: { graph: BuildGraph; edge: Edge } | undefined;
  /** What it begins with has files in it. */
  hasContent: boolean;
  /** Its steps are built without cache, for which BuildKit makes it anew. */
  isMadeAnew: boolean;
  /** Images that its steps are made from, the nearest first: one of them can handle its files. */
  images: { graph: BuildGraph; edge: Edge; platform: pb.Platform | undefined }[];
}

/**
 * The cache mounts of what a frontend made of a Dockerfile, in the order of the steps that have them. BuildKit knows one by its id
 * and by what it begins with, and so does this (BK solver/llbsolver/mounts getRefCacheDir). ARGs, targets, ONBUILD and the
 * namespace (`BUILDKIT_CACHE_MOUNT_NS`) are worked out by then.
 */
export function findCacheMounts(graphs: readonly BuildGraph[]): CacheMount[] {
  const found = new Map<string, CacheMount>();
  for (const graph of graphs) {
    const identities = identitiesOf(graph);
    for (const [digest, { op, inputs, platform }] of graph.ops) {
      if (op.case !== "exec") continue;
      const { mounts } = op.value;
      const root = mounts.find(({ dest }) => dest === "/");
      const images = imagesOf(graph, root && inputs[Number(root.input)], platform);
      for (const mount of mounts) {
        const { cacheOpt, selector } = mount;
        if (mount.mountType !== pb.MountType.CACHE || !cacheOpt) continue;
        const edge = mount.input < 0n ? undefined : inputs[Number(mount.input)];
        const identity = edge && `${identities.get(edge.digest) ?? ""}:${edge.index}`;
        const title = trimStart(cacheOpt.ID) || mount.dest;
        const fileName = fileNameOf(title, [cacheOpt.ID, selector, identity ?? ""]);
        const known = found.get(fileName);
        found.set(fileName, {
          fileName,
          title,
          cacheOpt,
          selector,
          base: edge && { graph, edge },
          hasContent: edge !== undefined && !isOwnedDirectory(graph, edge),
          ...known,
          isMadeAnew: graph.ignoresCache(digest) || (known?.isMadeAnew ?? false),
          images: [...(known?.images ?? []), ...images],
        });
      }
    }
  }
  return [...found.values()];
}

/** The Dockerfile frontend puts the namespace and a slash before an id. */
function trimStart(id: string): string {
  return id.replace(/^\/(?=.)/, "");
}

function fileNameOf(title: string, parts: readonly string[]): string {
  const readable = trimBoth(title.replaceAll(/[^A-Za-z0-9._]+/g, "-").slice(0, 60), "-.");
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
  return readable === "" ? hash : `${readable}-${hash}`;
}

function imagesOf(
  graph: BuildGraph,
  root: Edge | undefined,
  platform: pb.Platform | undefined,
): CacheMount["images"] {
  if (!root) return [];
  return graph.below(root).flatMap((digest) => {
    const { op, platform: own = platform } = graph.ops.get(digest) ?? { op: { case: undefined } };
    const isImage = op.case === "source" && /^(?:docker-image|oci-layout):\/\//.test(op.value.identifier);
    return isImage ? [{ graph, edge: { digest, index: 0n }, platform: own }] : [];
  });
}

/** Made for `uid`, `gid` and `mode` of a cache mount (BK dockerfile2llb setCacheUIDGID): nothing but a directory. */
function isOwnedDirectory(graph: BuildGraph, { digest }: Edge): boolean {
  const made = graph.ops.get(digest);
  if (made?.op.case !== "file" || made.inputs.length > 0) return false;
  return made.op.value.actions.every(({ action }) => action.case === "mkdir");
}

/** What nodes are made of, without what is another in each build: sessions and the like of local sources. */
function identitiesOf(graph: BuildGraph): ReadonlyMap<string, string> {
  const identities = new Map<string, string>();
  for (const [digest, op] of graph.ops) {
    const bare = clone(pb.OpSchema, op);
    for (const input of bare.inputs) input.digest = identities.get(input.digest) ?? "";
    if (bare.op.case === "source" && bare.op.value.identifier.startsWith("local://"))
      bare.op.value.attrs = {};
    identities.set(digest, createHash("sha256").update(toBinary(pb.OpSchema, bare)).digest("hex"));
  }
  return identities;
}
