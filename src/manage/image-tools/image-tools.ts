import type { Environment, JsonObject } from "../../config/index.js";
import { type EventSink, InvalidArgumentError, readOptions, withGuardedWarnings } from "../../core/index.js";
import type { Descriptor } from "../../registry/index.js";
import { createImageKinds, inspectImageKinds } from "../option-kinds.js";

/** The settings for calls to registries. */
export interface ImageToolsOptions {
  /** Builder whose `buildkitd.toml` tells of mirrors, certificates and insecure registries; default the current one. */
  builder?: string | undefined;
  /** Default `process.env`; for credentials, proxies and certificates. */
  env?: Environment | undefined;
  /** Told why credentials could not be had, and the like. */
  onWarning?: ((text: string) => unknown) | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of {@link createImage}. */
export interface CreateImageOptions extends ImageToolsOptions {
  /**
   * What the image is made of: references, `oci-layout://path[:tag|@digest]`, digests, and descriptors in JSON. A digest or a
   * descriptor is of the one repository that the others name.
   */
  sources: readonly string[];
  /** Where it goes: references, and `oci-layout://path[:tag]`. */
  tags?: readonly string[];
  /** Add the sources to what the first tag names now. Default false. */
  append?: boolean;
  /** `index:key=value`, `manifest-descriptor[platform]:key=value`. */
  annotations?: readonly string[];
  /** Make an index of a single manifest, rather than copy it as it is. Default true. */
  preferIndex?: boolean;
  /** Keep these platforms only; default all. */
  platforms?: readonly string[];
  /** Make it, and push nothing. Default false. */
  dryRun?: boolean;
  /** Gets the copying, a vertex for each repository. */
  onEvent?: EventSink | undefined;
}

/** An image that {@link createImage} made. */
export interface CreatedImage {
  descriptor: Descriptor;
  /** The index or manifest, byte for byte. */
  content: Buffer;
  /** The repositories and layouts it went to, sorted. */
  names: string[];
}

/**
 * Makes an image out of existing images, without a build: copies one, merges several into an index, annotates, filters
 * (buildx v0.36 `imagetools create`). Content goes straight from registry to registry; attestations and signatures go
 * along.
 *
 * @throws InvalidArgumentError before anything is asked; RegistryError naming the image.
 */
export async function createImage(given: CreateImageOptions): Promise<CreatedImage> {
  const options = readOptions("createImage()", given, createImageKinds);
  if (options.sources === undefined) throw new InvalidArgumentError("createImage() needs the option sources");
  // Loaded when first asked for, so that importing the library costs nothing to speak of.
  const { makeImage } = await import("../loaded.js");
  return makeImage(options);
}

/** Options of {@link inspectImage}. */
export interface InspectImageOptions extends ImageToolsOptions {
  /** Read the configuration of each platform. Default false. */
  configs?: boolean;
  /** Read attestations of this kind. Default none. */
  attestations?: { sbom?: boolean; provenance?: boolean };
}

/** One platform of an inspected image. */
export interface InspectedPlatform {
  /** The image configuration (OCI image-spec). */
  config: JsonObject;
  /** SPDX documents. */
  sbom: unknown[];
  /** SLSA provenance, the predicate. */
  provenance?: unknown;
}

/** What {@link inspectImage} found. */
export interface InspectedImage {
  /** In full, with the tag. */
  name: string;
  descriptor: Descriptor;
  /** The index or manifest, byte for byte. */
  content: Buffer;
  /** What an index lists; empty for a manifest. */
  manifests: { name: string; descriptor: Descriptor }[];
  /** By platform, when asked for. */
  platforms: Map<string, InspectedPlatform>;
}

/**
 * Reads an image's index or manifest from its registry, or from an OCI layout (buildx v0.36 `imagetools inspect`).
 *
 * @throws InvalidArgumentError for an invalid name; RegistryError for an image that is not there or may not be read.
 */
export async function inspectImage(name: string, given: InspectImageOptions = {}): Promise<InspectedImage> {
  const options = readOptions("inspectImage()", given, inspectImageKinds);
  if (typeof name !== "string") throw new InvalidArgumentError("inspectImage() takes the name of an image");
  const { readImage } = await import("../loaded.js");
  return withGuardedWarnings(options.onWarning, (onWarning) => readImage(name, { ...options, onWarning }));
}
