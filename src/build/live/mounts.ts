import { createHash } from "node:crypto";
import { posix } from "node:path";
import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { pb } from "../../buildkit/index.js";
import { InvalidArgumentError, SlipwayError, isSlipwayError, messageOf } from "../../core/index.js";
import { parsePlatform } from "../../builder/index.js";
import { formatReference, parseReference, withDefaultTag } from "../../registry/index.js";
import { refsOf } from "./result-refs.js";
import type { ExecPlace } from "./process.js";

/** What a command in a result has besides its files; `target` is the path where it is, absolute. */
export type ExecMount =
  /** The files of this result, or of one of its other platforms, from `source` (default `/`) on. */
  | { type: "bind"; target: string; source?: string; platform?: string; readonly?: boolean }
  /** The files of an image, which the builder pulls: tools for a result that has none. Changes to it are gone afterwards. */
  | {
      type: "image";
      target: string;
      image: string;
      source?: string;
      platform?: string;
      readonly?: boolean;
    }
  /** Memory; `size` in bytes. */
  | { type: "tmpfs"; target: string; size?: number }
  /** A cache of `RUN --mount=type=cache`; its `id` is its path unless it has another. */
  | { type: "cache"; target: string; id?: string; sharing?: "shared" | "private" | "locked" }
  /** One of the build's `secrets`, as a file; `mode` is permission bits, default 0o400. */
  | { type: "secret"; target: string; id: string; mode?: number; optional?: boolean }
  /** One of the build's `ssh` agents, as a socket. */
  | { type: "ssh"; target: string; id?: string; mode?: number; optional?: boolean };

type Mount = MessageInitShape<typeof pb.MountSchema>;

/** Where the container of a command is made, and the places of the other platforms. */
export interface MountContext {
  place: ExecPlace;
  placeOf: (platform: string) => ExecPlace;
  signal: AbortSignal;
}

/**
 * The mounts as a container is given them; images are pulled by the builder.
 *
 * @throws InvalidArgumentError for a target that is not absolute; BuildkitError for an image that cannot be had
 */
export function containerMounts(mounts: readonly ExecMount[], context: MountContext): Promise<Mount[]> {
  return Promise.all(mounts.map((mount) => containerMount(mount, context)));
}

async function containerMount(mount: ExecMount, { place, placeOf, signal }: MountContext): Promise<Mount> {
  const { target: dest } = mount;
  // The daemon would clean it, and mount over the root.
  if (!dest.startsWith("/") || /^\/*$/.test(posix.normalize(dest)))
    throw new InvalidArgumentError(
      `a mount of exec() has the target ${JSON.stringify(dest)}: give an absolute path below /`,
    );
  switch (mount.type) {
    case "bind": {
      const from = mount.platform === undefined ? place : placeOf(mount.platform);
      const { resultID = "" } = from.mounts.find((one) => one.dest === "/") ?? {};
      return { dest, resultID, selector: mount.source ?? "", readonly: mount.readonly ?? false };
    }
    case "image": {
      const platform = mount.platform === undefined ? place.platform : platformOf(mount.platform);
      const Definition = imageSource(mount.image, platform);
      const request = { Definition, Evaluate: true, allowResultReturn: true, allowResultArrayRef: true };
      const { result } = await place.bridge.solve(request, { signal }).catch((error: unknown) => {
        if (!isSlipwayError(error, "BUILDKIT_STATUS")) throw error;
        const text = `the image ${mount.image} cannot be mounted: ${messageOf(error)}`;
        throw new SlipwayError("RESULT_EXEC", text, { cause: error });
      });
      const selector = mount.source ?? "";
      const resultID = refsOf(result).get("") ?? "";
      return { dest, resultID, selector, readonly: mount.readonly ?? false };
    }
    case "tmpfs":
      return { dest, mountType: pb.MountType.TMPFS, TmpfsOpt: { size: BigInt(mount.size ?? 0) } };
    case "cache": {
      const sharing = pb.CacheSharingOpt[sharings[mount.sharing ?? "shared"]];
      return { dest, mountType: pb.MountType.CACHE, cacheOpt: { ID: mount.id ?? dest, sharing } };
    }
    case "secret": {
      const { id: ID, mode = 0o400, optional = false } = mount;
      return { dest, mountType: pb.MountType.SECRET, secretOpt: { ID, mode, optional } };
    }
    default: {
      const { id: ID = "default", mode = 0o600, optional = false } = mount;
      return { dest, mountType: pb.MountType.SSH, SSHOpt: { ID, mode, optional } };
    }
  }
}

const sharings = { shared: "SHARED", private: "PRIVATE", locked: "LOCKED" } as const;

/** An OCI platform as BuildKit has it. */
export function platformOf(name: string): MessageInitShape<typeof pb.PlatformSchema> {
  const { os, architecture, variant = "" } = parsePlatform(name);
  return { OS: os, Architecture: architecture, Variant: variant };
}

/** The graph of one image (BK client/llb Image). */
function imageSource(image: string, platform: ExecPlace["platform"]): pb.Definition {
  const reference = formatReference(withDefaultTag(parseReference(image)));
  const source = toBinary(
    pb.OpSchema,
    create(pb.OpSchema, {
      op: { case: "source", value: { identifier: `docker-image://${reference}` } },
      ...(platform && { platform }),
      constraints: {},
    }),
  );
  const digest = `sha256:${createHash("sha256").update(source).digest("hex")}`;
  const end = toBinary(pb.OpSchema, create(pb.OpSchema, { inputs: [{ digest, index: 0n }] }));
  return create(pb.DefinitionSchema, {
    def: [source, end],
    metadata: {
      [digest]: {
        caps: { "source.image": true },
        description: { "llb.customname": `[internal] mount ${reference}` },
      },
    },
  });
}
