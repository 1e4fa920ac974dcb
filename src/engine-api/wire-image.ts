/** Types of the engine's API on images, with its own names (Docker Engine API 1.41 and later). */

/** An OCI descriptor. */
export interface OciDescriptor {
  mediaType: string;
  digest: string;
  /** Bytes. */
  size: number;
  platform?: { architecture: string; os: string; variant?: string; "os.version"?: string };
  annotations?: Record<string, string>;
}

/** Answer of `GET /images/{name}/json`. */
export interface ImageInspect {
  /** The config's digest; with the containerd image store the digest of the manifest or index. */
  Id: string;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
  Created?: string;
  Architecture: string;
  Variant?: string;
  Os: string;
  /** Bytes. */
  Size: number;
  /** `Layers` are diff ids. */
  RootFS: { Type: string; Layers?: string[] | null };
  Config?: {
    Env?: string[] | null;
    Cmd?: string[] | null;
    Entrypoint?: string[] | null;
    Labels?: Record<string, string> | null;
    User?: string;
    WorkingDir?: string;
    Volumes?: Record<string, unknown> | null;
  } | null;
  GraphDriver?: { Name: string; Data?: Record<string, string> | null };
  /** Only with the containerd image store, API 1.48 and later. */
  Descriptor?: OciDescriptor;
}

/** One row of `GET /images/json`. */
export interface ImageSummary {
  Id: string;
  ParentId: string;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
  /** Unix seconds. */
  Created: number;
  /** Bytes. */
  Size: number;
  Labels: Record<string, string> | null;
  Descriptor?: OciDescriptor;
  /** Only when asked for, with the containerd image store. */
  Manifests?: ImageManifestSummary[];
}

/** One manifest of an image in the containerd image store (API 1.47 and later). */
export interface ImageManifestSummary {
  ID: string;
  Descriptor: OciDescriptor;
  /** All of its content is there. */
  Available: boolean;
  Kind: "image" | "attestation" | "unknown";
}

/** One row of the answer to `DELETE /images/{name}`. */
export interface ImageDeleted {
  Untagged?: string;
  Deleted?: string;
}

/** One row of `GET /images/{name}/history`. */
export interface ImageHistoryEntry {
  /** `<missing>` where the step has no image of its own. */
  Id: string;
  /** Unix seconds. */
  Created: number;
  CreatedBy: string;
  /** Bytes. */
  Size: number;
  Comment: string;
  Tags: string[] | null;
}

/** Answer of `POST /images/prune`. */
export interface ImagesPruned {
  ImagesDeleted: ImageDeleted[] | null;
  /** Bytes. */
  SpaceReclaimed: number;
}
