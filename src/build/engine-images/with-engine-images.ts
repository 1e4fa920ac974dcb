import { join } from "node:path";
import { buildxConfigDir } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import {
  formatReference,
  normalizeContextName,
  parseReference,
  withDefaultTag,
} from "../../registry/index.js";
import { isOlderThan } from "../daemon-version.js";
import { dockerfileText } from "../dockerfile-text.js";
import { firstPolicySession } from "../policy/policy-too-old.js";
import type { SolvePlan } from "../solve-plan.js";
import type { TargetRun } from "../target-run.js";
import { baseImages } from "./base-images.js";
import { EngineImages } from "./engine-images.js";
import { ImageCache } from "./image-cache.js";

/**
 * Makes the engine's images available to a build that asks for them: by `engine://` contexts, and with
 * `engineImages` for whatever the Dockerfile names. The plan comes back with what the builder must be told, the run with what
 * serves them; without such a wish the plan is the same, and no engine is opened.
 *
 * @throws InvalidArgumentError for an `engine://` context that the engine does not have.
 */
export async function withEngineImages(plan: SolvePlan, run: TargetRun): Promise<SolvePlan> {
  const { engineImages, inputs } = plan;
  if (inputs.engineContexts.size === 0 && !engineImages) return plan;
  const { resources, signal, sink, node } = run;
  const engine = await resources.loadingEngine();
  const cache = new ImageCache(join(buildxConfigDir(resources.env), "slipway", "engine-images"));
  const allowed = engineImages ? await allowedImages(plan, engineImages) : new Set<string>();
  const images = new EngineImages({ engine, cache, allowed, sink, signal });
  run.images = images;
  const attrs = { ...plan.attrs, ...(await engineContextAttrs(plan, engine.host, run, images)) };
  if (!engineImages) return { ...plan, attrs };
  if (!(await isOlderThan(node.client, firstPolicySession, signal)))
    return { ...plan, attrs, policySession: true };
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
  return { ...plan, attrs };
}

/** Attributes by which the contexts that are named `engine://` are served. */
async function engineContextAttrs(
  { inputs, platforms }: SolvePlan,
  host: string,
  run: TargetRun,
  images: EngineImages,
): Promise<Record<string, string>> {
  const attrs: Record<string, string> = {};
  for (const [context, name] of inputs.engineContexts) {
    const image = await images.find(name);
    if (!image)
      throw new InvalidArgumentError(
        `failed to get build context ${context}: the engine at ${host} has no image ${name}`,
      );
    // Not an error: a stage for the build's own platform may well stand on it.
    const others = platforms.filter((platform) => !`${platform}/`.startsWith(`${image.platform}/`));
    if (!image.isIndex && others.length > 0)
      run.warn(
        `build context ${context}: the engine's image ${name} is for ${image.platform}, the build for ${others.join(", ")}`,
      );
    attrs[`context:${context}`] = `oci-layout://${image.store}@${image.digest}`;
  }
  return attrs;
}

/**
 * The engine's images that the build may have: those that its Dockerfile and contexts name, or the user. The builder runs
 * other people's code, and could ask for any.
 */
async function allowedImages(plan: SolvePlan, wish: SolvePlan["engineImages"]): Promise<Set<string>> {
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
