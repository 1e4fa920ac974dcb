import type { Platform } from "../../builder/index.js";
import { trimBoth } from "../../core/index.js";
import { type NamedImage, parseImagePurl } from "./purl.js";

/** What kind of thing a material is; `image-blob` is one without a name. */
export type MaterialKind = "image" | "image-blob" | "http" | "git" | "unknown";

/** Something that a build took in, as the provenance records it. */
export interface Material {
  uri: string;
  kind: MaterialKind;
  /** `sha256:…`, `sha1:…`; undefined when none was recorded. */
  digest?: string;
  /** Of an image. */
  image?: NamedImage;
  platform?: Platform;
}

/** A material out of its URI and digests. */
export function material(uri: string, digests: ReadonlyMap<string, string>): Material {
  const image = parseImagePurl(uri);
  const digest = preferredDigest(digests);
  return {
    uri,
    kind: kindOf(uri, digest),
    ...(digest !== undefined && { digest }),
    ...(image && { image }),
    ...(image?.platform && { platform: image.platform }),
  };
}

/** `sha256` where there is one, as sources tell it; else the first by name. */
export function preferredDigest(digests: ReadonlyMap<string, string>): string | undefined {
  const known = [...digests].filter(([, value]) => value !== "").sort(([a], [b]) => (a < b ? -1 : 1));
  const [algorithm, value] = known.find(([name]) => name === "sha256") ?? known[0] ?? [];
  return value === undefined ? undefined : `${algorithm}:${value}`;
}

/** By the scheme (buildx v0.38 replay/snapshot.go classifyMaterial). */
function kindOf(uri: string, digest: string | undefined): MaterialKind {
  if (uri.startsWith("pkg:docker/")) return "image";
  if (/^https?:\/\//.test(uri)) return isGitPath(uri) ? "git" : "http";
  if (/^(git\+|git:\/\/|ssh:\/\/)/.test(uri) || /^[\w.-]+@[\w.-]+:/.test(uri)) return "git";
  return uri === "" && digest !== undefined ? "image-blob" : "unknown";
}

/** Whether an http(s) URL is that of a repository. */
export function isGitPath(uri: string): boolean {
  return URL.canParse(uri) && new URL(uri).pathname.toLowerCase().endsWith(".git");
}

/**
 * What a build asks for that takes this in: the identifier of BuildKit's source (buildx v0.38 policy/materials.go); undefined where that
 * is not known.
 */
export function sourceIdentifier({ uri, kind }: Pick<Material, "uri" | "kind">): string | undefined {
  if (kind === "http") return uri;
  if (kind !== "git") return undefined;
  // ssh's short form has a colon before the path.
  const short = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(uri);
  const text = short && !uri.includes("://") ? `ssh://${short[1]}/${short[2]}` : uri.replace(/^git\+/, "");
  if (!URL.canParse(text)) return undefined;
  const { host, pathname, hash } = new URL(text);
  try {
    return `git://${host}${pathname.replaceAll(/\/{2,}/g, "/")}${decodeURI(hash)}`;
  } catch {
    return undefined;
  }
}

/** The directory in the repository that an address names, `url#ref:subdir`; empty for its root. */
export function gitSubdirectory(uri: string): string {
  const fragment = uri.split("#").slice(1).join("#");
  const at = fragment.indexOf(":");
  return at < 0 ? "" : trimBoth(fragment.slice(at + 1), "/");
}
