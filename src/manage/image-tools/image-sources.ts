import { isJsonObject } from "../../config/index.js";
import { InvalidArgumentError, clipText, messageOf, parseJson } from "../../core/index.js";
import { type Descriptor, isDigest, readDescriptor } from "../../registry/index.js";
import {
  type ImageLocation,
  formatImageLocation,
  locationName,
  parseImageLocation,
  withDigest,
} from "./image-location.js";
import type { ImageStores } from "./open-stores.js";

/** What is shown of a source that is none: it may be a file of a mebibyte. */
const longestShown = 200;
/** Paths of layouts are the longest: as long as Linux takes. */
const longestReference = 4096 + 300;

/** A source as it was given: a place, a digest, or a descriptor. */
export type SourceText =
  | { location: ImageLocation; given?: undefined }
  | { location?: undefined; given: Partial<Descriptor> & { digest: string } };

/** A source that was looked up. */
export interface ImageSource {
  location: ImageLocation;
  descriptor: Descriptor;
}

/**
 * Reads a source of `imagetools create`: a digest, a reference, `oci-layout://…` or a descriptor in JSON (buildx v0.36
 * commands/imagetools/create.go parseSource).
 *
 * @throws InvalidArgumentError naming the source.
 */
export function parseSource(text: string): SourceText {
  try {
    if (isDigest(text)) return { given: { digest: text } };
    if (text.startsWith("sha256")) throw new InvalidArgumentError("invalid checksum digest format");
    // A file's text may begin with blanks or a byte order mark.
    if (text.trimStart().startsWith("{")) return { given: parseDescriptor(text.trimStart()) };
    if (text.length > longestReference)
      throw new InvalidArgumentError("it is no descriptor in JSON, and too long for a reference");
    return { location: parseImageLocation(text) };
  } catch (error) {
    throw new InvalidArgumentError(
      `failed to parse source ${JSON.stringify(clipText(text, longestShown))}, valid sources are digests, references and descriptors: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function parseDescriptor(text: string): Partial<Descriptor> & { digest: string } {
  const value: unknown = parseJson(text);
  if (!isJsonObject(value)) throw new InvalidArgumentError("invalid descriptor: not an object");
  const { schemaVersion, digest } = value;
  if (schemaVersion)
    throw new InvalidArgumentError(
      `expected an OCI content descriptor, got a manifest or index (schemaVersion ${JSON.stringify(schemaVersion)})`,
    );
  if (digest === undefined || digest === "")
    throw new InvalidArgumentError("invalid descriptor: digest is required");
  if (typeof digest !== "string" || !isDigest(digest))
    throw new InvalidArgumentError("invalid descriptor digest: invalid checksum digest format");
  // What is left out is looked up.
  const full = readDescriptor({ mediaType: "", size: 0, ...value });
  if (!full) throw new InvalidArgumentError("invalid descriptor");
  const { mediaType, size, ...others } = full;
  return {
    ...others,
    digest,
    ...(mediaType !== "" && { mediaType }),
    ...(size > 0 && { size }),
  };
}

/**
 * Gives each source a place: one without gets the only repository that sources and tags name.
 *
 * @throws InvalidArgumentError when there is none, or several.
 */
export function placeSources(
  sources: readonly SourceText[],
  texts: readonly string[],
  tags: readonly ImageLocation[],
): { location: ImageLocation; given?: Partial<Descriptor> }[] {
  const places = [...sources.flatMap(({ location }) => location ?? []), ...tags];
  const names = new Set(places.map(locationName));
  const [only] = places;
  if (only === undefined)
    throw new InvalidArgumentError("no repositories specified, please set a reference in tag or source");
  return sources.map(({ location, given }, index) => {
    if (location) return { location };
    if (names.size > 1)
      throw new InvalidArgumentError(
        `multiple repositories specified, cannot infer repository for ${JSON.stringify(texts[index])}`,
      );
    return { location: withDigest(only, given.digest), given };
  });
}

/** Looks sources up; what was said about them goes before what is found. */
export async function resolveSources(
  stores: ImageStores,
  sources: readonly { location: ImageLocation; given?: Partial<Descriptor> }[],
  signal: AbortSignal | undefined,
): Promise<ImageSource[]> {
  return Promise.all(
    sources.map(async ({ location, given = {} }) => {
      const found = await stores.of(location).resolve(location, { signal });
      if (given.size !== undefined && given.size !== found.size)
        throw new InvalidArgumentError(
          `invalid size mismatch for ${found.digest}, ${given.size} != ${found.size} (${formatImageLocation(location)})`,
        );
      return { location, descriptor: { ...found, ...given } };
    }),
  );
}
