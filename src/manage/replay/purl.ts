import { type Platform, parsePlatform } from "../../builder/index.js";
import { percentDecode } from "../../core/index.js";
import { type ImageReference, isDigest, parseReference } from "../../registry/index.js";

/** An image as the provenance names it. */
export interface NamedImage {
  /** A registry's image (`docker`), or one of a layout (`oci`). */
  type: "docker" | "oci";
  reference: ImageReference;
  platform?: Platform;
  /** The part of the URL that says what it is, but a digest and a platform. */
  bare: string;
  /** `blob` or `bundle` of what is no image. */
  refType?: string;
}

/**
 * An image's package URL, such as `pkg:docker/alpine@3.20?platform=linux%2Famd64` (BK util/purl); undefined for what is none, or names
 * something twice and differently.
 */
export function parseImagePurl(uri: string): NamedImage | undefined {
  const match = /^pkg:(docker|oci)\/([^?#@]+)(?:@([^?#]+))?(?:\?([^#]*))?$/.exec(uri);
  if (!match) return undefined;
  try {
    const [, type = "", name = "", version = "", query = ""] = match;
    const qualifiers = new Map(
      query
        .split("&")
        .filter(Boolean)
        .map((pair) => {
          const [key = "", ...value] = pair.split("=");
          return [key.toLowerCase(), percentDecode(value.join("="))] as const;
        }),
    );
    const repository = name.split("/").map(percentDecode).join("/");
    const at = percentDecode(version);
    const digest = isDigest(at) ? at : qualifiers.get("digest");
    if (isDigest(at) && qualifiers.has("digest") && qualifiers.get("digest") !== at) return undefined;
    const tag = at !== "" && !isDigest(at) ? `:${at}` : digest === undefined ? ":latest" : "";
    const platform = qualifiers.get("platform");
    const refType = qualifiers.get("ref_type");
    return {
      type: type as NamedImage["type"],
      reference: parseReference(`${repository}${tag}${digest === undefined ? "" : `@${digest}`}`),
      ...(platform !== undefined && { platform: parsePlatform(platform) }),
      bare: withoutQualifiers(uri, query),
      ...(refType !== undefined && { refType }),
    };
  } catch {
    return undefined;
  }
}

/** Without the digest and the platform, which are told beside it (buildx v0.38 replay/dryrun.go). */
function withoutQualifiers(uri: string, query: string): string {
  const base = uri.split("?", 1)[0] ?? "";
  const kept = query.split("&").filter((pair) => pair !== "" && !/^(digest|platform)=/i.test(pair));
  return kept.length > 0 ? `${base}?${kept.join("&")}` : base;
}
