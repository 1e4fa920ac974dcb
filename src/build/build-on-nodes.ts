import { types } from "node:util";
import { type NodeShare, formatPlatformFully } from "../builder/index.js";
import type { BuildkitClient } from "../buildkit/index.js";
import {
  InvalidArgumentError,
  SlipwayError,
  type SlipwayErrorCode,
  abortError,
  isSlipwayError,
  linkSignal,
  messageOf,
} from "../core/index.js";
import { parseReference, repositoryName } from "../registry/index.js";
import type { BuildOptions } from "./build-options.js";
import type { BuildResult } from "./build-result.js";
import { mergeImages } from "./merge-images.js";
import type { NodePool } from "./node-pool.js";
import type { PlannedExport } from "./outputs.js";
import type { SolvePlan } from "./plan.js";
import { isPush } from "./plan-for-node.js";
import { randomId } from "./random-id.js";
import { type RunBuildContext, executePlan } from "./run-build.js";

/** What all nodes' builds have in common. */
export type BuildOnNodesContext = Omit<RunBuildContext, "node" | "saveRef" | "onSession">;

/**
 * Runs a plan on the nodes that it is for: on one, or on several at once, each building its platforms; what they push is then
 * joined under its names (buildx v0.36 build/build.go). When one fails the others are cancelled, and its error is told (FLT-36).
 */
export async function buildOnNodes(
  plan: SolvePlan,
  options: BuildOptions,
  nodes: NodePool,
  context: BuildOnNodesContext,
): Promise<BuildResult> {
  const { signal, onEvent } = options;
  const shares = await nodes.share(plan.platforms, { signal, onEvent });
  const [first] = shares;
  // An answer of the frontend is about the Dockerfile, and the same on all nodes.
  if (!first || shares.length === 1 || plan.call)
    return runOnOne(nodes, first ?? { index: nodes.firstIndex, platforms: [] }, plan, options, context);

  const exports = exportsOfSeveral(plan);
  using linked = linkSignal(signal);
  const plans = shares.map((share, at) => partOf(plan, share, exports, at === 0));
  const running = plans.map(async (part, at) => {
    try {
      const share = shares[at] ?? first;
      return await runOnOne(nodes, share, part, { ...options, signal: linked.signal }, context);
    } catch (error) {
      linked.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(running);
  if (signal?.aborted) throw abortError(signal);
  if (linked.signal.aborted) throw linked.signal.reason;
  const results = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  return await joined(plan, options, results, { nodes, context });
}

/** The result of all nodes: the first's, as buildx has it, or that of the image which was joined of theirs. */
async function joined(
  plan: SolvePlan,
  options: BuildOptions,
  results: readonly BuildResult[],
  { nodes, context }: { nodes: NodePool; context: BuildOnNodesContext },
): Promise<BuildResult> {
  const [first] = results as [BuildResult];
  const warnings = results.flatMap((result) => result.warnings);
  const platforms = results.flatMap((result) => result.platforms);
  const [pushed, ...others] = plan.exports.filter(isPushed);
  if (!pushed) return { ...first, warnings, platforms };
  const names = [pushed, ...others].flatMap(({ attrs }) => (attrs["name"] ?? "").split(","));
  const digest = await mergeImages({
    names,
    digests: results.map((result) => result.digest).filter((text) => text !== undefined),
    attrs: pushed.attrs,
    files: nodes.first.files ?? new Map(),
    credentials: options.credentials,
    env: context.env,
    dockerConfig: context.dockerConfig,
    sink: options.onEvent,
    signal: options.signal,
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
    ...(inlineMessage !== undefined && { inlineMessage }),
  };
}

/** Errors by which a node counts as lost while it builds. Those of engines may be of another one, which an image goes to. */
const lostCodes: readonly SlipwayErrorCode[] = ["BUILDER_LOST", "BUILDKIT_CONNECTION_LOST", "SESSION_LOST"];

/** Errors by which a node that is connected to counts as lost: its daemon, its machine, or the way to it. */
const unreachableCodes: readonly SlipwayErrorCode[] = [
  ...lostCodes,
  "DRIVER_BOOT",
  "DRIVER_CONNECT",
  "ENGINE_CONNECT",
  "ENGINE_CONNECTION_LOST",
];

/** Runs a part of a build on its node; when that is lost before a result has begun to come out, again on another that can. */
async function runOnOne(
  nodes: NodePool,
  share: NodeShare,
  plan: SolvePlan,
  options: BuildOptions,
  context: BuildOnNodesContext,
): Promise<BuildResult> {
  const { signal, onEvent } = options;
  let { index } = share;
  let retries = nodes.size > 1 && isRepeatable(plan) ? (options.retries ?? 1) : 0;
  // What was said of the build is not said again.
  for (let part = plan; ; part = { ...plan, ref: randomId(), noOutput: false, warnings: [] }) {
    let hasExported = false;
    const onExport = () => void (hasExported = true);
    let codes = unreachableCodes;
    try {
      await nodes.connect(index, { signal, onEvent });
      codes = lostCodes;
      return await runOn(nodes, index, part, options, { ...context, onExport });
    } catch (error) {
      if (retries-- <= 0 || hasExported || signal?.aborted || !isSlipwayError(error, codes)) throw error;
      const other = await nodes.other({ index, platforms: share.platforms }, { signal, onEvent });
      if (other === undefined) throw error;
      const [lost, next] = [await nodes.place(index), await nodes.place(other)];
      const text = `node ${lost.nodeName} was lost (${messageOf(error)}); its part is built again on ${next.nodeName}`;
      onEvent?.({ type: "message", level: "warning", text });
      index = other;
    }
  }
}

/** What is read from a stream, or goes into one, can be had once. */
function isRepeatable({ inputs, exports }: SolvePlan): boolean {
  return (
    [...inputs.uploads.values()].every((source) => types.isUint8Array(source)) &&
    exports.every(({ destination }) => destination.kind !== "stream")
  );
}

/** Connections on which a build has run before. */
const used = new WeakSet<BuildkitClient>();

async function runOn(
  nodes: NodePool,
  index: number,
  plan: SolvePlan,
  options: BuildOptions,
  context: BuildOnNodesContext,
): Promise<BuildResult> {
  const { signal, onEvent } = options;
  const place = await nodes.place(index);
  const since = Date.now();
  const client = await nodes.connect(index, { signal, onEvent });
  const wasUsed = used.has(client);
  used.add(client);
  let hasBegun = false;
  try {
    return await executePlan(plan, options, {
      ...context,
      node: { ...place, client },
      saveRef: place.saveRef,
      onSession: () => (hasBegun = true),
    });
  } catch (error) {
    const isLost = isSlipwayError(error, "BUILDKIT_CONNECTION_LOST") || isSlipwayError(error, "SESSION_LOST");
    if (isLost && wasUsed && !hasBegun && !signal?.aborted) {
      // A kept connection whose end was not known yet, as after a restart: nothing has been asked of the builder.
      await client.closed;
      return runOn(nodes, index, plan, options, context);
    }
    // Says what became of the builder when the connection to it was lost (FLT-1 to FLT-5).
    if (!isLost || signal?.aborted) throw error;
    const diagnosis = await place.driver.diagnose({ since, signal });
    throw diagnosis === undefined ? error : new SlipwayError("BUILDER_LOST", diagnosis, { cause: error });
  }
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
