import { types } from "node:util";
import { type NodeShare, formatPlatformFully } from "../builder/index.js";
import {
  type BuildExplanation,
  type EventSink,
  InvalidArgumentError,
  type NetworkReport,
  abortError,
  linkSignal,
  randomId,
} from "../core/index.js";
import { parseReference, repositoryName } from "../registry/index.js";
import { BuilderClaimError } from "./asked-names.js";
import type { BuildResources } from "./build-resources.js";
import type { BuildResult } from "./build-result.js";
import type { AskGateway } from "./gateway-drive.js";
import type { LateOutputs } from "./live/late-outputs.js";
import type { NodePool } from "./node-pool.js";
import type { PlannedExport } from "./outputs.js";
import type { SolvePlan } from "./solve-plan.js";
import { isPush } from "./plan-for-node.js";
import { runOnNode } from "./run-on-node.js";

/** Where and with what {@link buildOnNodes} runs a plan. */
export interface BuildOnNodesContext {
  nodes: NodePool;
  resources: BuildResources;
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
  /** Drives the build; by default the plan's frontend does. */
  ask?: AskGateway | undefined;
  /** Lets the build be exported later, while it is held. */
  late?: LateOutputs | undefined;
  /** The target that the plan is of, where several are built together. */
  target?: PartOfMany | undefined;
}

/** One of several targets that are built together. */
export interface PartOfMany {
  name: string;
  /** Id of the group of builds, as the builder's store keeps it. */
  groupRef: string;
  /** Drives its build on a node, where others are built on it or it on others. */
  ask(node: number, plan: SolvePlan): AskGateway | undefined;
  /** Is told under which reference it is built. */
  onRef(ref: string): void;
}

/**
 * Runs a plan on the nodes that it is for: on one, or on several at once, each building its platforms; what they push is then
 * joined under its names (buildx v0.36 build/build.go). When one fails the others are cancelled, and its error is told (FLT-36).
 */
export async function buildOnNodes(plan: SolvePlan, context: BuildOnNodesContext): Promise<BuildResult> {
  const { nodes, sink, signal } = context;
  const shares = await nodes.share(plan.platforms, { signal, onEvent: sink });
  const [first = { index: nodes.firstIndex, platforms: [] }] = shares;
  // An answer of the frontend is about the Dockerfile, and the same on all nodes.
  if (shares.length <= 1 || plan.call) return runOnNode(plan, first, context);

  const exports = exportsOfSeveral(plan);
  using linked = linkSignal(signal);
  const running = shares.map(async (share, at) => {
    try {
      const part = partOf(plan, share, exports, at === 0);
      return await runOnNode(part, share, { ...context, signal: linked.signal });
    } catch (error) {
      linked.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(running);
  if (signal?.aborted) throw abortError(signal);
  if (linked.signal.aborted) throw linked.signal.reason;
  const results = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  return joined(plan, results, context);
}

/** The result of all nodes: the first's, as buildx has it, or that of the image which was joined of theirs. */
async function joined(
  plan: SolvePlan,
  results: readonly BuildResult[],
  { nodes, resources, sink, signal }: BuildOnNodesContext,
): Promise<BuildResult> {
  const [first] = results as [BuildResult];
  const warnings = results.flatMap((result) => result.warnings);
  const platforms = results.flatMap((result) => result.platforms);
  const networks = results.flatMap(({ network }) => network ?? []);
  const network = networks.length > 0 ? { network: joinedNetworks(networks) } : {};
  const explanations = results.flatMap(({ explained }) => explained ?? []);
  const judged = results.flatMap((result) => result.judged ?? []);
  const more = {
    ...network,
    ...(plan.policies && { judged }),
    ...(explanations.length > 0 && { explained: joinedExplanations(explanations) }),
  };
  const [pushed, ...others] = plan.exports.filter(isPushed);
  if (!pushed) return { ...first, warnings, platforms, ...more };
  const names = [pushed, ...others].flatMap(({ attrs }) => (attrs["name"] ?? "").split(","));
  const { mergeImages } = await import("./merge-images.js");
  const digest = await mergeImages({
    names,
    digests: results.map(pushedDigest),
    attrs: pushed.attrs,
    files: nodes.first.files ?? new Map(),
    credentials: plan.serves.credentials,
    env: resources.env,
    dockerConfig: resources.dockerConfig,
    sink,
    signal,
  });
  const { inlineMessage } = first;
  return {
    ref: first.ref,
    imageId: digest,
    digest,
    names,
    platforms,
    warnings,
    metadata: { "containerimage.digest": digest },
    ...more,
    ...(inlineMessage !== undefined && { inlineMessage }),
  };
}

/** What a node has pushed: an image that lacks a part is none. @throws BuilderClaimError */
function pushedDigest({ digest, ref }: BuildResult): string {
  if (digest !== undefined) return digest;
  throw new BuilderClaimError(`the builder does not say what it has pushed in the build ${ref}`);
}

/** What nodes tell of their parts. */
function joinedExplanations(explanations: readonly BuildExplanation[]): BuildExplanation {
  const [first] = explanations;
  return { ...first, steps: explanations.flatMap(({ steps }) => steps) };
}

function joinedNetworks(networks: readonly NetworkReport[]): NetworkReport {
  return {
    requests: networks.flatMap(({ requests }) => requests),
    left: networks.reduce((sum, { left }) => sum + left, 0),
    cachedSteps: networks.flatMap(({ cachedSteps }) => cachedSteps),
  };
}

/** One node's part of a plan. What is said about the whole is said once, with the first. */
function partOf(
  plan: SolvePlan,
  share: NodeShare,
  exports: readonly PlannedExport[],
  isFirst: boolean,
): SolvePlan {
  const platforms = share.platforms.map(formatPlatformFully);
  return {
    ...plan,
    ref: isFirst ? plan.ref : randomId(),
    attrs: { ...plan.attrs, platform: platforms.join(","), "multi-platform": "true" },
    platforms,
    exports: exports.map((entry) => ({ ...entry, attrs: { ...entry.attrs } })),
    noOutput: plan.noOutput && isFirst,
    warnings: isFirst ? plan.warnings : [],
  };
}

/**
 * Exports for parts of an image: pushed ones go out without a tag, to be joined afterwards.
 *
 * @throws InvalidArgumentError for what cannot be put together again.
 */
function exportsOfSeveral(plan: SolvePlan): PlannedExport[] {
  if ([...plan.inputs.uploads.values()].some((source) => !types.isUint8Array(source)))
    throw new InvalidArgumentError(
      "an archive from a stream can be sent to one node only: build for platforms of one node, or from a directory",
    );
  return plan.exports.map((entry) => {
    const { type, destination } = entry;
    if (type === "oci" || type === "tar")
      throw new InvalidArgumentError(`${type} for multi-node builds currently not supported`);
    if (type === "docker")
      throw new InvalidArgumentError(
        "docker exporter does not currently support exporting manifest lists, of which several nodes make one: build for platforms of one node, or push the image (--push)",
      );
    if (destination.kind === "directory" && destination.mode === "delete")
      throw new InvalidArgumentError(
        "local output mode=delete for multi-node builds is not supported: each node would delete what the others wrote",
      );
    if (!isPushed(entry)) return entry;
    const names = (entry.attrs["name"] ?? "").split(",").map((name) => repositoryName(parseReference(name)));
    return {
      ...entry,
      attrs: { ...entry.attrs, name: [...new Set(names)].join(","), "push-by-digest": "true" },
    };
  });
}

function isPushed(entry: PlannedExport): boolean {
  return entry.type === "image" && isPush(entry);
}
