import { type Descriptor, mediaTypes, parseDocument, parseManifest } from "../../registry/index.js";

/** What a document is that does not say so (buildx v0.36 util/imagetools detectMediaType). */
export function detectMediaType(content: Buffer, what: string): string {
  const value = parseDocument(content, what);
  if (typeof value["mediaType"] === "string" && value["mediaType"] !== "") return value["mediaType"];
  return value["config"] === undefined ? mediaTypes.dockerList : mediaTypes.dockerManifest;
}

/** The manifests that an index lists; none for what is no index. */
export function listedManifests(content: Buffer, what: string): Descriptor[] {
  const manifest = parseManifest(content, undefined, what);
  return manifest.kind === "index" ? manifest.manifests : [];
}
