import { join } from "node:path";
import type { BuildkitClient } from "../../buildkit/index.js";
import { type Environment, buildxConfigDir, textOf } from "../../config/index.js";
import { type EventSink, InvalidArgumentError } from "../../core/index.js";
import type { EngineClient } from "../../engine-api/index.js";
import { toBytes } from "../../fs/index.js";
import {
  formatReference,
  normalizeContextName,
  parseReference,
  withDefaultTag,
} from "../../registry/index.js";
import type { BuildOptions } from "../build-options.js";
import { readTreeFile } from "../input-digest-tree.js";
import { largestDockerfile } from "../input-files.js";
import { isOlderThan } from "../daemon-version.js";
import type { SolvePlan } from "../plan.js";
import { baseImages } from "./base-images.js";
import { EngineImages } from "./engine-images.js";
import { ImageCache } from "./image-cache.js";

/** BuildKit asks the session about sources, and takes another for an answer, from this version on. */
const firstPolicySession = { major: 0, minor: 27 };

/** What {@link withEngineImages} works with. */
export interface EngineImagesContext {
  client: BuildkitClient;
  /** Opens the engine whose images these are; whoever passes it closes the engine. */
  openEngine: () => Promise<EngineClient>;
  env: Environment;
  sink: EventSink;
  /** Given what serves the images, which is to be closed when the build has ended, also when this fails. */
  onImages: (images: EngineImages) => void;
}

/**
 * Makes the engine's images available to a build that asks for them: by `engine://` contexts, and with
 * `engineImages` for whatever the Dockerfile names. The plan comes back with what the builder must be told; without such a
 * wish it is the same, and no engine is opened.
 *
 * @throws InvalidArgumentError for an `engine://` context that the engine does not have.
 */
export async function withEngineImages(
  plan: SolvePlan,
  options: BuildOptions,
  { client, openEngine, env, sink, onImages }: EngineImagesContext,
): Promise<{ plan: SolvePlan; images?: EngineImages }> {
  const { engineContexts } = plan.inputs;
  if (engineContexts.size === 0 && !options.engineImages) return { plan };
  const { signal } = options;
  const engine = await openEngine();
  const cache = new ImageCache(join(buildxConfigDir(env), "slipway", "engine-images"));
  const allowed = options.engineImages ? await allowedImages(plan, options.engineImages) : new Set<string>();
  const images = new EngineImages({ engine, cache, allowed, sink, signal });
  onImages(images);
  const attrs: Record<string, string> = { ...plan.attrs };
  for (const [context, name] of engineContexts) {
    const image = await images.find(name);
    if (!image) {
      throw new InvalidArgumentError(
        `failed to get build context ${context}: the engine at ${engine.host} has no image ${name}`,
      );
    }
    // Not an error: a stage for the build's own platform may well stand on it.
    const others = plan.platforms.filter((platform) => !`${platform}/`.startsWith(`${image.platform}/`));
    if (!image.isIndex && others.length > 0)
      sink({
        type: "message",
        level: "warning",
        text: `build context ${context}: the engine's image ${name} is for ${image.platform}, the build for ${others.join(", ")}`,
      });
    attrs[`context:${context}`] = `oci-layout://${image.store}@${image.digest}`;
  }
  if (!options.engineImages) return { plan: { ...plan, attrs }, images };
  if (!(await isOlderThan(client, firstPolicySession, signal)))
    return { plan: { ...plan, attrs, policySession: true }, images };
  // Older ones take named contexts only, for which the names must be known before.
  for (const name of allowed) {
    const key = `context:${normalizeContextName(name)}`;
    if (attrs[key] !== undefined) continue;
    const image = await images.find(name);
    if (image) attrs[key] = `oci-layout://${image.store}@${image.digest}`;
  }
  const caps = new Set((attrs["frontend.caps"] ?? "").split(",").filter(Boolean));
  caps.add("moby.buildkit.frontend.contexts+forward");
  attrs["frontend.caps"] = [...caps].sort().join(",");
  return { plan: { ...plan, attrs }, images };
}

/**
 * The engine's images that the build may have: those that its Dockerfile and contexts name, or the user. The builder runs
 * other people's code, and could ask for any.
 */
async function allowedImages(
  plan: SolvePlan,
  wish: Exclude<BuildOptions["engineImages"], undefined>,
): Promise<Set<string>> {
  const complete = (name: string) => formatReference(withDefaultTag(parseReference(name)));
  if (typeof wish === "object") return new Set(wish.allow.map(complete));
  const args = new Map<string, string>();
  const contexts: string[] = [];
  for (const [key, value] of Object.entries(plan.attrs)) {
    if (key.startsWith("build-arg:")) args.set(key.slice("build-arg:".length), value);
    const image = key.startsWith("context:") && /^docker-image:\/\/(.+)$/.exec(value)?.[1];
    if (image) contexts.push(complete(image));
  }
  const platforms = plan.platforms.length > 0 ? plan.platforms : [`linux/${goArch()}`];
  return new Set([...baseImages(await dockerfileText(plan), { args, platforms }), ...contexts]);
}

/** What Go calls this machine, where the builder mostly is as well. */
function goArch(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

/** The Dockerfile's text as far as it is on this side; empty when it is in a context that the builder fetches itself. */
async function dockerfileText({ inputs, attrs }: SolvePlan): Promise<string> {
  const mounted = inputs.locals.get("dockerfile");
  const name = toBytes(attrs["filename"] ?? "Dockerfile");
  const content = mounted && (await readTreeFile(mounted, name, largestDockerfile));
  return content ? textOf(content) : "";
}
