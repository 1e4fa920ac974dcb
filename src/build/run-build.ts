import type { Readable } from "node:stream";
import type { BuildkitClient } from "../buildkit/index.js";
import type { DockerEndpoint } from "../config/index.js";
import { type EventSink, Redactor, type VertexWarning, isSlipwayError } from "../core/index.js";
import { type Driver, openEngine } from "../builder/index.js";
import type { EngineClient } from "../engine-api/index.js";
import { type Attachable, upload } from "../session/index.js";
import { withoutPolicy } from "./archive-policy.js";
import { AskedNames } from "./asked-names.js";
import type { BuildError } from "./build-error.js";
import type { BuildOptions } from "./build-options.js";
import { type BuildResult, callResult, imageIdOf, metadataOf } from "./build-result.js";
import { cacheLocks, nameExported } from "./content-stores.js";
import { requireDaemonFor } from "./daemon-limits.js";
import { describeImage } from "./describe-image.js";
import type { EngineImages } from "./engine-images/engine-images.js";
import { loadingEngine, openTargets } from "./export-targets.js";
import { withEngineImages } from "./engine-images/with-engine-images.js";
import { memoryDir } from "./memory-dir.js";
import { type PlanFacts, type SolvePlan } from "./plan.js";
import { planForNode } from "./plan-for-node.js";
import { readProvenance } from "./provenance.js";
import { pushMoby } from "./push-from-engine.js";
import { checkResponse } from "./exporter-response.js";
import { randomId } from "./random-id.js";
import { type RemotePolicy, refuseRemotePolicy } from "./remote-policy.js";
import { Failures } from "./failures.js";
import { fetchDockerfile } from "./remote-dockerfile.js";
import { sessionServices } from "./session-services.js";
import { solve } from "./solve.js";
import { traceHeaders } from "./trace-parent.js";

/** A live node to build on. */
export interface BuildNode {
  client: BuildkitClient;
  builderName: string;
  nodeName: string;
  driver: Driver;
  engine?: { endpoint: DockerEndpoint; name: string } | undefined;
  /** Files of its configuration, which say how registries are spoken to. */
  files?: ReadonlyMap<string, Uint8Array>;
}

/** What {@link executePlan} works with besides the options. */
export interface RunBuildContext extends Pick<PlanFacts, "env" | "dockerConfig"> {
  node: BuildNode;
  /** Read the image's manifests afterwards, for {@link BuildResult.platforms}. */
  describe: boolean;
  /** Is told when the builder has taken the build's session. */
  onSession?: (() => void) | undefined;
  /** Notes what is about to be built under the build's id, as buildx does in its `refs`. */
  saveRef?: ((plan: SolvePlan) => Promise<void>) | undefined;
  /** Called when a result begins to come out. */
  onExport?: (() => void) | undefined;
}

/** Runs a plan on a live node. */
export async function executePlan(
  planned: SolvePlan,
  options: BuildOptions,
  context: RunBuildContext,
): Promise<BuildResult> {
  const { node, env, dockerConfig, onExport } = context;
  const { signal } = options;
  const warnings: VertexWarning[] = [];
  const sink: EventSink = (event) => {
    if (event.type === "status") for (const warning of event.warnings) warnings.push(warning);
    options.onEvent?.(event);
  };
  sink.ready = () => options.onEvent?.ready?.();
  if (planned.noOutput) sink({ type: "message", level: "warning", text: noOutputWarning(node.driver.name) });
  for (const text of planned.warnings) sink({ type: "message", level: "warning", text });

  const engines: EngineClient[] = [];
  const locks = cacheLocks(planned);
  let served: EngineImages | undefined;
  try {
    await requireDaemonFor(planned, node.client, signal);
    const features = await node.driver.nodeFeatures(node.client, { signal });
    const { engineStore } = node.driver.features;
    const ready = planForNode(planned, {
      driverName: node.driver.name,
      engineStore,
      features,
      endpoint: node.engine?.name,
    });
    const own = { env, dockerConfig, locks, client: node.client, files: node.files, sink };
    const lookFor = async (policy: RemotePolicy, more: readonly Attachable[] = []) => {
      const fetching = sessionServices(onlyFetching(planned), options, {
        ...own,
        targets: new Map(),
        failures: new Failures(),
        redactor: new Redactor(),
      });
      const attachables = [...(await fetching), ...more];
      const { sourcePolicy } = planned;
      await refuseRemotePolicy(policy, { client: node.client, attachables, sourcePolicy, sink, signal });
    };
    if (planned.inputs.remotePolicy) await lookFor(planned.inputs.remotePolicy);
    const complete = await withDockerfile(withoutArchivePolicy(ready, lookFor), node.client, sink, signal);
    const { plan, images } = await withEngineImages(
      complete,
      engineStore ? { ...options, engineImages: false } : options,
      {
        client: node.client,
        openEngine: async () => {
          const engine = await loadingEngine(undefined, { env, dockerConfig });
          engines.push(engine);
          return engine;
        },
        env,
        sink,
        onImages: (opened) => (served = opened),
      },
    );
    const { targets, exports, preferManifest, seen } = await openTargets(plan, {
      env,
      dockerConfig,
      sink,
      engines,
      client: node.client,
      signal,
    });
    const failures = new Failures();
    const redactor = new Redactor();
    const attachables = await sessionServices(plan, options, {
      ...own,
      targets,
      failures,
      redactor,
      images,
      onExport,
    });
    if (!plan.call) await context.saveRef?.(plan);
    const ref = `${node.builderName}/${node.nodeName}/${plan.ref}`;
    const running = solve({
      client: node.client,
      plan: { ...plan, exports },
      attachables,
      sink,
      signal,
      redactor,
      headers: traceHeaders(env),
      onSession: context.onSession,
    });
    const outcome = await running.catch((error: unknown) => {
      if (isSlipwayError(error, "BUILD_FAILED") && !plan.call) (error as BuildError).ref = ref;
      throw signal?.aborted ? error : (failures.all[0] ?? error);
    });
    // A success is the builder's claim: what did not arrive here, or not whole, is no result.
    if (failures.exports[0]) throw failures.exports[0];
    const names = exports.map(({ attrs }) => attrs["name"] ?? "").join(",");
    const response = new Map(outcome.response);
    // What engines with containerd call an image without a name is none (moby builder/builder-next/exporter).
    if (response.get("image.name")?.startsWith("moby-dangling@")) response.delete("image.name");
    checkResponse(response, { asked: new AskedNames(names), seen });
    await nameExported(plan, response, { locks, sink, signal });
    if (node.engine && !features.directPush)
      await pushMoby(response, exports, {
        engine: openEngine(node.engine.endpoint, env),
        credentials: options.credentials,
        env,
        dockerConfig,
        sink,
        signal,
      });
    if (preferManifest) response.delete("containerimage.config.digest");
    if (!plan.call) response.set("buildx.build.ref", ref);
    else for (const [key, value] of outcome.metadata) response.set(key, Buffer.from(value).toString("utf8"));
    const provenance =
      options.metadataProvenance && !plan.call
        ? await readProvenance({
            client: node.client,
            ref: plan.ref,
            mode: options.metadataProvenance,
            sink,
            signal,
          })
        : [];
    const imageId = imageIdOf(response, preferManifest);
    const digest = response.get("containerimage.digest");
    const inlineMessage = response.get("frontend.result.inlinemessage");
    return {
      ref,
      ...(imageId !== undefined && { imageId }),
      ...(digest !== undefined && { digest }),
      names: response.get("image.name")?.split(",") ?? [],
      platforms:
        context.describe && digest !== undefined ? await describeImage(node.client, digest, signal) : [],
      warnings,
      metadata: metadataOf(response, provenance),
      ...(inlineMessage && { inlineMessage }),
      ...(plan.call && { call: callResult(plan.call, outcome.metadata) }),
    };
  } finally {
    await served?.close();
    for (const lock of locks.values()) await lock.close();
    await Promise.all(engines.map((engine) => engine.close()));
  }
}

/** The plan with an archive that does not come to its end when a policy is in it. */
function withoutArchivePolicy(
  plan: SolvePlan,
  lookFor: (policy: RemotePolicy, more: readonly Attachable[]) => Promise<void>,
): SolvePlan {
  const { archivePolicy: path } = plan.inputs;
  if (path === undefined) return plan;
  const lookByBuilder = (read: () => Readable) => {
    const id = randomId();
    return lookFor({ url: `http://buildkit-session/${id}`, path }, [upload(new Map([[id, read()]]))]);
  };
  const uploads = new Map(
    [...plan.inputs.uploads].map(
      ([id, archive]) => [id, withoutPolicy(archive, { path, lookByBuilder })] as const,
    ),
  );
  return { ...plan, inputs: { ...plan.inputs, uploads } };
}

/** The plan without what the session would offer of this machine's files. */
function onlyFetching(plan: SolvePlan): SolvePlan {
  const inputs = { ...plan.inputs, locals: new Map(), uploads: new Map(), ociLayouts: new Map() };
  return { ...plan, inputs };
}

/** The plan with the Dockerfile that was given as a URL. */
async function withDockerfile(
  plan: SolvePlan,
  client: BuildkitClient,
  sink: EventSink,
  signal: AbortSignal | undefined,
): Promise<SolvePlan> {
  const { dockerfileUrl } = plan.inputs;
  if (dockerfileUrl === undefined) return plan;
  const Dockerfile = await fetchDockerfile(dockerfileUrl, { client, sink, signal });
  const locals = new Map([...plan.inputs.locals, ["dockerfile", memoryDir({ Dockerfile })] as const]);
  return { ...plan, inputs: { ...plan.inputs, locals } };
}

/** The warning of the driver's page, word for word. */
function noOutputWarning(driver: string): string {
  return (
    `No output specified with ${driver} driver. Build result will only remain in the build cache. ` +
    "To push result image into registry use --push or to load image into docker use --load"
  );
}
