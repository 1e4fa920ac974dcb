import { types } from "node:util";
import type { NodeShare } from "../builder/index.js";
import type { BuildkitClient } from "../buildkit/index.js";
import { SlipwayError, type SlipwayErrorCode, isSlipwayError, messageOf, randomId } from "../core/index.js";
import type { BuildNode } from "./build-node.js";
import type { BuildOnNodesContext, PartOfMany } from "./build-on-nodes.js";
import type { BuildResult } from "./build-result.js";
import type { SolvePlan } from "./solve-plan.js";
import { runTarget } from "./run-target.js";

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
export async function runOnNode(
  plan: SolvePlan,
  share: NodeShare,
  context: BuildOnNodesContext,
): Promise<BuildResult> {
  const { nodes, sink: onEvent, signal } = context;
  let { index } = share;
  if (!nodes.first.driver.features.engineStore) context.resources.expectLoads(plan);
  const canMove = nodes.size > 1 || (await nodes.replaces(index));
  let retries = canMove && isRepeatable(plan) ? plan.retries : 0;
  // What was said of the build is not said again.
  for (let part = plan; ; part = { ...plan, ref: randomId(), noOutput: false, warnings: [] }) {
    let hasExported = false;
    const onExport = () => void (hasExported = true);
    let codes = unreachableCodes;
    try {
      await nodes.connect(index, { signal, onEvent });
      codes = lostCodes;
      return await runOnce(part, index, context, onExport);
    } catch (error) {
      if (retries-- <= 0 || hasExported || signal?.aborted || !isSlipwayError(error, codes)) throw error;
      const other = await nodes.other({ index, platforms: share.platforms }, { signal, onEvent });
      if (other === undefined) throw error;
      const [lost, next] = [await nodes.node(index), await nodes.node(other)];
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

/** Notes a build in the builder's store. */
async function saveRef(node: BuildNode, plan: SolvePlan, target: PartOfMany | undefined): Promise<void> {
  await node.saveRef?.(plan, { target: target?.name ?? "default", groupRef: target?.groupRef });
}

async function runOnce(
  plan: SolvePlan,
  index: number,
  context: BuildOnNodesContext,
  onExport: () => void,
): Promise<BuildResult> {
  const { nodes, resources, sink, signal, target, late } = context;
  const ask = target?.ask(index, plan) ?? context.ask;
  const node = await nodes.node(index);
  const since = Date.now();
  const client = await nodes.connect(index, { signal, onEvent: sink });
  const wasUsed = used.has(client);
  used.add(client);
  let hasBegun = false;
  try {
    return await runTarget(plan, {
      resources,
      node: { ...node, client },
      sink,
      signal,
      ask,
      late,
      saveRef: (saved) => saveRef(node, saved, target),
      touch: () => nodes.touch(),
      onSession: () => {
        hasBegun = true;
        if (!plan.call) target?.onRef(`${node.builderName}/${node.nodeName}/${plan.ref}`);
      },
      onExport,
    });
  } catch (error) {
    const isLost = isSlipwayError(error, "BUILDKIT_CONNECTION_LOST") || isSlipwayError(error, "SESSION_LOST");
    if (isLost && wasUsed && !hasBegun && !signal?.aborted) {
      // A kept connection whose end was not known yet, as after a restart: nothing has been asked of the builder.
      await client.closed;
      return runOnce(plan, index, context, onExport);
    }
    // Says what became of the builder when the connection to it was lost (FLT-1 to FLT-5).
    if (!isLost || signal?.aborted) throw error;
    const diagnosis = await node.driver.diagnose({ since, signal });
    throw diagnosis === undefined ? error : new SlipwayError("BUILDER_LOST", diagnosis, { cause: error });
  }
}
