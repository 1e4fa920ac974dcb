import { join, resolve } from "node:path";
import { isJsonObject, textOf } from "../config/index.js";
import { InvalidArgumentError, messageOf, parseJson } from "../core/index.js";
import { readBounded } from "../fs/index.js";

/** An image in an OCI layout directory. */
export interface OciLayoutContext {
  /** Absolute path of the layout. */
  path: string;
  tag?: string;
  digest: string;
}

const refNameAnnotation = "org.opencontainers.image.ref.name";
const imageNameAnnotation = "io.containerd.image.name";

/** An index.json larger than this is none (SEC-34). */
const largestIndex = 4 << 20;

/**
 * Resolves `oci-layout://path[:tag][@digest]`; the digest comes from the layout's index.json, by tag (default
 * `latest`), or is the only manifest there, under whatever tag.
 *
 * @throws InvalidArgumentError when the layout cannot be read or holds no such image.
 */
export async function parseOciLayout(text: string): Promise<OciLayoutContext> {
  const rest = text.replace(/^oci-layout:(\/\/)?/, "");
  const match = /^(.*?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(rest);
  const [, path = "", tagGiven, digest] = match ?? [];
  // Sent as well when it is only the default: the frontend shows it (buildx util/ocilayout Parse).
  const tag = tagGiven ?? (digest === undefined ? "latest" : undefined);
  if (path === "") throw new InvalidArgumentError(`invalid OCI layout reference ${JSON.stringify(text)}`);
  const layout = { path: resolve(path), ...(tag !== undefined && { tag }) };
  return { ...layout, digest: digest ?? (await findDigest(layout.path, tagGiven, text)) };
}

async function findDigest(path: string, tag: string | undefined, text: string): Promise<string> {
  const fail = (why: string, cause?: unknown) =>
    new InvalidArgumentError(`oci-layout reference ${JSON.stringify(text)} could not be resolved: ${why}`, {
      cause,
    });
  let index: unknown;
  try {
    const content = await readBounded(join(path, "index.json"), { limit: largestIndex });
    index = parseJson(textOf(content));
  } catch (error) {
    throw fail(messageOf(error), error);
  }
  const manifests: unknown = isJsonObject(index) ? index["manifests"] : undefined;
  const found: { digest: string; names: unknown[] }[] = [];
  for (const entry of Array.isArray(manifests) ? (manifests as unknown[]) : []) {
    if (!isJsonObject(entry) || typeof entry["digest"] !== "string") continue;
    const annotations = isJsonObject(entry["annotations"]) ? entry["annotations"] : {};
    found.push({
      digest: entry["digest"],
      names: [annotations[refNameAnnotation], annotations[imageNameAnnotation]],
    });
  }
  const wanted = tag ?? "latest";
  const byName = found.find(({ names }) =>
    names.some((name) => typeof name === "string" && (name === wanted || name.endsWith(`:${wanted}`))),
  );
  if (byName) return byName.digest;
  const [only] = found;
  // Whatever it is called, and was asked for by (seen of buildx 0.38.2).
  if (found.length === 1 && only) return only.digest;
  throw fail(found.length === 0 ? "no manifests in index.json" : `no manifest with the tag ${wanted}`);
}
