import { isJsonObject } from "../config/index.js";
import { parseJson } from "../core/index.js";
import { type Descriptor, isDigest, readDescriptor } from "../registry/index.js";
import { type AskedNames, BuilderClaimError } from "./asked-names.js";

/** What {@link checkResponse} compares a response with. */
export interface ResponseFacts {
  asked: AskedNames;
  /** Digests of what went by on its way into an engine; undefined when nothing was loaded. */
  seen?: ReadonlySet<string> | undefined;
}

/** Longest descriptor, in UTF-16 units: it goes into an index that has to stay small enough to be read. */
const longestDescriptor = 64 << 10;

const digests = ["containerimage.digest", "containerimage.config.digest"];

/**
 * Looks at what the exporters answered before anybody believes it: digests are digests, of bytes that were seen where bytes
 * went by, and the image has no names but those asked for.
 *
 * @throws BuilderClaimError
 */
export function checkResponse(response: ReadonlyMap<string, string>, { asked, seen }: ResponseFacts): void {
  for (const key of digests) {
    const digest = response.get(key);
    if (digest === undefined) continue;
    if (!isDigest(digest))
      throw new BuilderClaimError(`the builder answered ${shown(digest)} as ${key}, which is no digest`);
    if (seen && !seen.has(digest))
      throw new BuilderClaimError(
        `the builder answered ${digest} as ${key}, which is not of the image that it sent`,
      );
  }
  asked.check(response.get("image.name")?.split(",").filter(Boolean) ?? []);
  imageDescriptor(response);
}

/** Descriptor of the image that was exported. @throws BuilderClaimError when it is none. */
export function imageDescriptor(response: ReadonlyMap<string, string>): Descriptor | undefined {
  const encoded = response.get("containerimage.descriptor");
  return encoded === undefined || encoded === ""
    ? undefined
    : descriptorOf(Buffer.from(encoded, "base64").toString("utf8"), "containerimage.descriptor");
}

/** Descriptor of the cache that was exported. @throws BuilderClaimError when it is none. */
export function cacheDescriptor(response: ReadonlyMap<string, string>): Descriptor | undefined {
  const json = response.get("cache.manifest");
  return json ? descriptorOf(json, "cache.manifest") : undefined;
}

/** Fields that nothing here needs are left out: they would stand in somebody's index for ever. */
function descriptorOf(json: string, key: string): Descriptor {
  let value: unknown;
  try {
    value = parseJson(json);
  } catch {
    // told below
  }
  const descriptor = isJsonObject(value) ? readDescriptor(value) : undefined;
  if (!descriptor)
    throw new BuilderClaimError(`the builder answered ${shown(json)} as ${key}, which is no descriptor`);
  const { mediaType, digest, size, annotations, artifactType, platform } = descriptor;
  const known = {
    mediaType,
    digest,
    size,
    ...(annotations && { annotations }),
    ...(artifactType !== undefined && { artifactType }),
    ...(platform && { platform }),
  };
  const { length } = JSON.stringify(known);
  if (length > longestDescriptor)
    throw new BuilderClaimError(
      `the builder answered a descriptor of ${length} characters as ${key}, and no more than ${longestDescriptor} can be used`,
    );
  return known;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
