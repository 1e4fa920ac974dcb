import { goJson } from "../../config/index.js";
import {
  type Descriptor,
  type StoredManifest,
  descriptorJson,
  digestOf,
  mediaTypes,
} from "../../registry/index.js";
import { snapshotType } from "./subject.js";

/** What the manifest of the materials of a snapshot says of itself (buildx v0.38 replay/snapshot_format.go). */
export const materialsType = "application/vnd.docker.buildx.snapshots.materials.v1+json";

/** On an image that holds the files of a git repository: its commit, `sha1:…`, and where it came from. */
export const commitAnnotation = "dev.slipway.replay.commit";
export const sourceAnnotation = "dev.slipway.replay.source";

/** What stands on the image of a commit's files; of a directory in the repository with its path. */
export function commitKey(digest: string, subdirectory: string): string {
  return subdirectory === "" ? digest : `${digest}:${subdirectory}`;
}

/** The configuration of what has none (OCI image-spec 1.1). */
export const emptyConfig: Descriptor = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  size: 2,
  data: "e30=",
};

/** The manifest that lists what is no image: http materials, and the indexes of images. */
export function materialsManifest(layers: readonly Descriptor[]): StoredManifest {
  return document(mediaTypes.ociManifest, materialsType, {
    config: descriptorJson(emptyConfig),
    layers: layers.map(descriptorJson),
  });
}

/** The snapshot of one platform, about the attestations that it belongs to. */
export function snapshotIndex(
  manifests: readonly Descriptor[],
  about: { subject?: Descriptor } = {},
): StoredManifest {
  return document(mediaTypes.ociIndex, snapshotType, {
    manifests: manifests.map(descriptorJson),
    ...(about.subject && { subject: descriptorJson(about.subject) }),
  });
}

function document(mediaType: string, artifactType: string, fields: object): StoredManifest {
  const content = Buffer.from(goJson({ schemaVersion: 2, mediaType, artifactType, ...fields }));
  return {
    descriptor: { mediaType, artifactType, digest: digestOf(content), size: content.length },
    content,
  };
}
