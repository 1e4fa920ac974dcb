import { resolve } from "node:path";
import { InvalidArgumentError } from "../../core/index.js";
import {
  type ImageReference,
  formatReference,
  isDigest,
  parseReference,
  repositoryName,
  withDefaultTag,
} from "../../registry/index.js";

/** Where an image is, or is to go: a registry, or an OCI layout directory. */
export type ImageLocation =
  | { kind: "registry"; reference: ImageReference }
  /** `path` as given. */
  | { kind: "layout"; path: string; tag?: string; digest?: string };

const layoutPrefix = "oci-layout://";

/**
 * Reads a reference, or `oci-layout://path[:tag][@digest]`; without tag and digest it is `latest` (buildx v0.36
 * util/imagetools ParseLocation, util/ocilayout Parse).
 *
 * @throws InvalidArgumentError naming the text.
 */
export function parseImageLocation(text: string): ImageLocation {
  if (!text.startsWith(layoutPrefix))
    return { kind: "registry", reference: withDefaultTag(parseReference(text)) };
  let path = text.slice(layoutPrefix.length);
  const at = path.lastIndexOf("@");
  const digest = at >= 0 && isDigest(path.slice(at + 1)) ? path.slice(at + 1) : undefined;
  if (digest !== undefined) path = path.slice(0, at);
  // A Windows drive's colon is none of a tag.
  const match = /^(.+):(\w[\w.-]{0,127})$/s.exec(path);
  const isDrive = /^[A-Za-z]$/.test(match?.[1] ?? "") && /^[A-Za-z]:[\\/]/.test(path);
  let tag = match && !isDrive ? match[2] : undefined;
  if (tag !== undefined) path = match?.[1] ?? path;
  if (tag === undefined && digest === undefined) tag = "latest";
  if (path === "") throw new InvalidArgumentError(`invalid OCI layout reference ${JSON.stringify(text)}`);
  return { kind: "layout", path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** The location in full. */
export function formatImageLocation(location: ImageLocation): string {
  if (location.kind === "registry") return formatReference(location.reference);
  const { path, tag, digest } = location;
  return (
    layoutPrefix + path + (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`)
  );
}

/** What tags of one place have in common: the repository, or the path of the layout. */
export function locationName(location: ImageLocation): string {
  return location.kind === "registry" ? repositoryName(location.reference) : location.path;
}

/** The content of a digest at the location. A registry's tag stays, where it only helps to read the name. */
export function withDigest(location: ImageLocation, digest: string): ImageLocation {
  if (location.kind === "layout") return { kind: "layout", path: location.path, digest };
  return { kind: "registry", reference: { ...location.reference, digest } };
}

/** The layout's directory, absolute. */
export function layoutDirectory({ path }: { path: string }): string {
  return resolve(path);
}
