import { isAbsolute, join } from "node:path";
import {
  type BuildCallOptions,
  type ContextSource,
  type BuildResult,
  type PlanChange,
  buildChanged,
  changedInput,
  describeChange,
} from "../../build/index.js";
import { formatPlatformFully } from "../../builder/index.js";
import { InvalidArgumentError, withoutUndefined } from "../../core/index.js";
import { checkReplayable, localInputs } from "./check-replayable.js";
import { type MaterialSources, openMaterials } from "./material-sources.js";
import { pinnedSources } from "./pinned-sources.js";
import type { Provenance } from "./provenance.js";
import { recordedInputs } from "./recorded-inputs.js";
import {
  dockerfilePath,
  networkForReplay,
  recordedAttrs,
  remoteContext,
  remoteContexts,
} from "./replay-attrs.js";
import { ReplayError, replayErrors } from "./replay-error.js";
import type { ReplayOptions } from "./replay-options.js";
import type { ReplayTarget } from "./replay-target.js";
import { SourcePins } from "./source-pins.js";

/** Refuses what cannot be replayed, as a dry run does as well. */
export function checkTarget({ provenance }: ReplayTarget, options: ReplayOptions): void {
  const { mode = "materials" } = options;
  checkReplayable(provenance, { ...options, mode });
  for (const { type, attrs } of options.outputs ?? [])
    if (type === "local" && attrs?.["mode"] === "delete")
      throw new InvalidArgumentError("replay does not support local output mode=delete");
  if (provenance.frontend !== "dockerfile.v0" && provenance.frontend !== "gateway.v0")
    throw replayErrors.unsupported(`replay of a build by the frontend ${provenance.frontend}`);
  networkForReplay(options.network, provenance.attrs.get("force-network-mode"));
  recordedAttrs(provenance);
  remoteContexts(provenance);
  contextOf(provenance, options);
  if (mode === "materials") void new SourcePins(provenance);
}

/** More about a replay than its caller may say. */
export interface RunReplay {
  /** Run every step again. */
  noCache?: boolean;
}

/** Builds once more what a target was built from. @throws ReplayError, and as `build()` does */
export async function runReplay(
  target: ReplayTarget,
  options: ReplayOptions,
  more: RunReplay = {},
): Promise<BuildResult> {
  checkTarget(target, options);
  const { provenance } = target;
  await using sources = await openMaterials(target, options);
  return await buildChanged(
    buildOptions(target, options),
    planChange(provenance, { options, sources, ...more }),
  );
}

function buildOptions({ subject, provenance }: ReplayTarget, options: ReplayOptions): BuildCallOptions {
  const { builder, address, tls, dial, env, onEvent, signal } = options;
  const { outputs, tags, load, push, secrets, ssh, contexts = {} } = options;
  const { platform } = subject;
  const named = Object.entries(contexts).filter(([name]) => name !== "context" && name !== "dockerfile");
  const given = {
    builder,
    address,
    tls,
    dial,
    env,
    onEvent,
    signal,
    outputs,
    tags,
    load,
    push,
    secrets,
    ssh,
    platforms: platform && [formatPlatformFully(platform)],
    buildContexts: Object.fromEntries(
      named.flatMap(([name, path]) =>
        path === undefined ? [] : [[mountedAs(name), { type: "directory" as const, path }]],
      ),
    ),
    // What was built before is built again: a policy would have refused it then.
    policies: ["disabled=true"],
    // What is attested would be the replay, not what is replayed.
    provenance: false,
    sbom: false,
    context: contextOf(provenance, options),
    file: localDockerfile(provenance, contexts),
  };
  return withoutUndefined(given);
}

/** Where the context comes from, which a build always has: the frontend asks for it even if it reads nothing of it. */
function contextOf(provenance: Provenance, { contexts = {} }: ReplayOptions): ContextSource {
  const url = remoteContext(provenance);
  if (url !== undefined) return { type: "remote", url };
  const { context: path } = contexts;
  if (path !== undefined) return { type: "directory", path };
  throw replayErrors.subject(
    "predicate has no recorded build context; replay requires a remote-source build (git / https)",
  );
}

/** A named context is mounted under its own name, but for those that would be one of every build's two. */
function mountedAs(mount: string): string {
  return mount === "_context" || mount === "_dockerfile" ? mount.slice(1) : mount;
}

/** Path of the Dockerfile, of a build that got it from a directory. What the provenance says of it must stay inside. */
function localDockerfile(
  provenance: Provenance,
  { dockerfile, context }: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const directory = dockerfile ?? context;
  if (directory === undefined || !localInputs(provenance).locals.includes("dockerfile")) return undefined;
  const path = dockerfilePath(provenance);
  if (isAbsolute(path) || path.split(/[\\/]/).includes(".."))
    throw replayErrors.subject(
      `the provenance names ${JSON.stringify(path)} as the Dockerfile, which is outside of its directory`,
    );
  return join(directory, path);
}

function planChange(
  provenance: Provenance,
  { options, sources, noCache }: { options: ReplayOptions; sources: MaterialSources } & RunReplay,
): PlanChange {
  return async (plan) => {
    const { inputs } = plan;
    const { env = process.env, signal, mode = "materials" } = options;
    if (inputs.locals.size > 0) await requireUnchanged(provenance, inputs, { env, signal });
    const network = networkForReplay(options.network, provenance.attrs.get("force-network-mode"));
    const proxies = Object.entries(plan.attrs).filter(([key]) =>
      /^build-arg:(https?|ftp|no|all)_proxy$/i.test(key),
    );
    const isLocal = inputs.locals.has("dockerfile");
    const caps = [recordedAttrs(provenance)["frontend.caps"], inputs.attrs["frontend.caps"]]
      .flatMap((text) => text?.split(",") ?? [])
      .filter(Boolean);
    const attrs = {
      ...Object.fromEntries(proxies),
      ...recordedAttrs(provenance),
      ...remoteContexts(provenance),
      ...inputs.attrs,
      ...(!isLocal && { filename: dockerfilePath(provenance) }),
      ...(plan.attrs["platform"] !== undefined && { platform: plan.attrs["platform"] }),
      ...(caps.length > 0 && { "frontend.caps": [...new Set(caps)].sort().join(",") }),
      ...(network && { "force-network-mode": network }),
      ...(noCache && { "no-cache": "" }),
    };
    const pins =
      mode === "materials" &&
      pinnedSources({
        pins: new SourcePins(provenance),
        locals: new Set(inputs.locals.keys()),
        substitutes: sources.substitutes,
      });
    return {
      ...plan,
      frontend: provenance.frontend as typeof plan.frontend,
      attrs,
      inputs: sources.addTo(inputs),
      ...(pins && { sourceRules: pins }),
    };
  };
}

/** @throws ReplayError `REPLAY_CONTEXT_CHANGED` naming the first file that is not as it was */
async function requireUnchanged(
  provenance: Provenance,
  inputs: Parameters<typeof changedInput>[0],
  options: Parameters<typeof changedInput>[2],
): Promise<void> {
  const changed = await changedInput(inputs, recordedInputs(provenance), options);
  if (!changed) return;
  const { text, file } = describeChange(changed);
  const { name, expected, actual } = changed;
  throw new ReplayError(
    "REPLAY_CONTEXT_CHANGED",
    `the context ${name} is not what the image was built from: ${text} (digest ${actual}, recorded ${expected})`,
    { names: [name], digest: expected, ...(file !== undefined && { file }) },
  );
}
