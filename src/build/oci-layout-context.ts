import { join, resolve } from "node:path";
import { InvalidArgumentError, messageOf } from "../core/index.js";
import { type OciIndex, readOciIndex } from "../session/index.js";

/** An image in an OCI layout directory. */
export interface OciLayoutContext {
  /** Absolute path of the layout. */
  path: string;
  tag?: string;
  digest: string;
}

const refNameAnnotation = "org.opencontainers.image.ref.name";
const imageNameAnnotation = "io.containerd.image.name";

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
  let index: OciIndex | undefined;
  try {
    index = await readOciIndex(path);
  } catch (error) {
    throw fail(messageOf(error), error);
  }
  if (!index) throw fail(`cannot read ${join(path, "index.json")}: no such file, or an empty one`);
  const found = index.manifests.map(({ digest, annotations }) => ({
    digest,
    names: [annotations?.[refNameAnnotation], annotations?.[imageNameAnnotation]],
  }));
  const wanted = tag ?? "latest";
  const byName = found.find(({ names }) =>
    names.some((name) => name === wanted || name?.endsWith(`:${wanted}`)),
  );
  if (byName) return byName.digest;
  const [only] = found;
  // Whatever it is called, and was asked for by (seen of buildx 0.38.2).
  if (found.length === 1 && only) return only.digest;
  throw fail(found.length === 0 ? "no manifests in index.json" : `no manifest with the tag ${wanted}`);
}
