import { type Platform, parsePlatform } from "../../builder/index.js";
import {
  type EventSink,
  InvalidArgumentError,
  messageOf,
  sideBySide,
  withGuardedEvents,
  withGuardedWarnings,
  withVertex,
} from "../../core/index.js";
import { RegistryError, descriptorJson } from "../../registry/index.js";
import { parseImageAnnotation } from "./annotations.js";
import { combineSources } from "./combine.js";
import { ImageCopier, explained } from "./copy-image.js";
import { type FilteredImage, type ImagePart, filterPlatforms } from "./filter-platforms.js";
import {
  type ImageLocation,
  formatImageLocation,
  locationName,
  parseImageLocation,
} from "./image-location.js";
import { type ImageSource, parseSource, placeSources, resolveSources } from "./image-sources.js";
import type { CreateImageOptions, CreatedImage } from "./image-tools.js";
import { type ImageStores, openStores } from "./open-stores.js";

/** What `createImage()` does. */
export async function makeImage(options: CreateImageOptions): Promise<CreatedImage> {
  return withGuardedEvents(options.onEvent, (onEvent) =>
    withGuardedWarnings(options.onWarning, (onWarning) => makeGuarded({ ...options, onEvent, onWarning })),
  );
}

async function makeGuarded(options: CreateImageOptions): Promise<CreatedImage> {
  const { append = false, dryRun = false, onEvent, onWarning, preferIndex = true, signal } = options;
  const [firstTag] = options.tags ?? [];
  if (options.sources.length === 0) throw new InvalidArgumentError("no sources specified");
  if (firstTag === undefined && !dryRun)
    throw new InvalidArgumentError("can't push with no tags specified, please set --tag or --dry-run");
  const tags = (options.tags ?? []).map(parseImageLocation);
  const texts = append && firstTag !== undefined ? [firstTag, ...options.sources] : options.sources;
  const placed = placeSources(texts.map(parseSource), texts, tags);
  const platforms = parsePlatformFilter(options.platforms ?? []);
  const annotations = (options.annotations ?? []).filter(Boolean).flatMap(readAnnotation);
  await using stores = await openStores(options);
  const sources = await resolveSources(stores, placed, signal);
  const combined = await combineSources(stores, sources, { annotations, preferIndex, onWarning, signal });
  const image = await filterPlatforms(stores, combined, platforms, signal);
  const names = [...new Set(tags.map(locationName))].sort((a, b) => (a < b ? -1 : 1));
  if (!dryRun) {
    const [source] = sources;
    const parts = image.parts ?? (source ? [{ descriptor: image.descriptor, source }] : []);
    const original = sources.find(({ descriptor }) => descriptor.digest === image.descriptor.digest);
    await sideBySide(signal, names, (name, ending) => {
      const job = { image, parts, original, name, tags: tags.filter((tag) => locationName(tag) === name) };
      return pushAll(stores, job, onEvent, ending);
    });
  }
  return { descriptor: image.descriptor, content: image.content, names };
}

/** A descriptor as `--metadata-file` has it. */
export function imageMetadata({ descriptor, names }: CreatedImage): Record<string, unknown> {
  return { "containerimage.descriptor": descriptorJson(descriptor), "image.name": names.join(",") };
}

function parsePlatformFilter(texts: readonly string[]): Platform[] {
  return texts
    .flatMap((text) => text.split(","))
    .map((text) => {
      try {
        return parsePlatform(text);
      } catch (error) {
        throw new InvalidArgumentError(`invalid platform ${JSON.stringify(text)}: ${messageOf(error)}`, {
          cause: error,
        });
      }
    });
}

function readAnnotation(text: string) {
  try {
    return parseImageAnnotation(text);
  } catch (error) {
    throw new InvalidArgumentError(`failed to parse annotations: ${messageOf(error)}`, { cause: error });
  }
}

interface PushJob {
  image: FilteredImage;
  parts: readonly ImagePart[];
  /** Where the image is from, when it is one that was there and not a new one. */
  original: ImageSource | undefined;
  /** Repository or layout. */
  name: string;
  /** Tags there. */
  tags: readonly ImageLocation[];
}

async function pushAll(
  stores: ImageStores,
  { image, parts, original, name, tags }: PushJob,
  sink: EventSink | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [seed] = tags;
  if (!seed) return;
  const { descriptor, content } = image;
  await withVertex(sink, `[internal] pushing ${name}`, async (vertex) => {
    const log = (line: string) => vertex.log(1, Buffer.from(`${line}\n`));
    using copier = new ImageCopier(stores, seed, signal);
    await copier.copyAll(
      parts.map(({ descriptor: part, source }) => {
        log(`copying ${part.digest} from ${formatImageLocation(source.location)} to ${name}`);
        return { source: source.location, descriptor: part };
      }),
    );
    for (const tag of tags) {
      const text = formatImageLocation(tag);
      log(`pushing ${descriptor.digest} to ${text}`);
      try {
        await stores.of(tag).publish(tag, { descriptor, content }, { signal });
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        throw explained(error, `publish ${descriptor.digest} to ${text}`);
      }
    }
    if (original) await copier.copyReferrers(original.location, descriptor.digest);
  });
}
