import { isSlipwayError, messageOf, withDeadline } from "../core/index.js";
import {
  type Device,
  type Driver,
  type DriverInstance,
  type GcRule,
  type NodeStatus,
  describeDaemon,
  driverKind,
} from "../driver/index.js";
import type { BuilderNode } from "./builder-node.js";
import type { NodeSurvey } from "./node-survey.js";
import { type Platform, dedupePlatforms, normalizePlatform } from "./platform.js";

/** What is known of a node at the moment. `error` says why the rest is missing. */
export interface NodeInfo {
  status?: NodeStatus;
  error?: string;
  /** BuildKit's version, of a running node. */
  version?: string;
  /** What the daemon builds for; of a running node. */
  platforms: Platform[];
  workerIds: string[];
  labels: Record<string, string>;
  gcPolicy: GcRule[];
  devices: Device[];
  /** Each of several daemons of the node, as a pod; what is said of the node itself is the first's. */
  instances?: InstanceInfo[];
}

/** What is known of one of several daemons behind a node. */
export interface InstanceInfo {
  name: string;
  status: NodeStatus;
  version?: string;
  platforms: Platform[];
  /** Why the rest is missing of one that runs. */
  error?: string;
}

/** After so many ms without an answer it is said what is waited for. */
const silenceMilliseconds = 5_000;

/** Options of {@link loadNodeInfo}. */
export interface LoadNodeOptions {
  /** How long all of it may take. */
  milliseconds: number;
  /** Where what the engine knows of its nodes is asked for once, for many nodes. */
  survey?: NodeSurvey | undefined;
  signal?: AbortSignal | undefined;
  /** Is told what is waited for, when that takes long. */
  onWait?: ((text: string) => void) | undefined;
}

/** Asks a node for its state, without booting it. Errors become part of the answer, but for the caller's own abort. */
export async function loadNodeInfo(
  node: BuilderNode,
  { milliseconds, survey, signal, onWait }: LoadNodeOptions,
): Promise<NodeInfo> {
  const info: NodeInfo = { platforms: [], workerIds: [], labels: {}, gcPolicy: [], devices: [] };
  const what = `asking node ${node.name} at ${node.node.endpoint}`;
  const notice = setTimeout(
    () => onWait?.(`waiting for node ${node.name} at ${node.node.endpoint} to answer`),
    silenceMilliseconds,
  );
  try {
    await withDeadline(signal, milliseconds, what, async (within) => {
      // Options that a driver cannot use are told although nobody asks the driver.
      driverKind(node.driver).check(node.node);
      const seen = await survey?.of(node);
      if (seen) info.status = seen.status(node.name);
      if (info.status !== undefined && info.status !== "running") return;
      const driver = await node.openDriver();
      try {
        info.status ??= await driver.status({ signal: within });
        if (info.status !== "running") return;
        const instances = await driver.instances?.({ signal: within });
        if (instances && instances.length > 0) await loadInstances(info, driver, instances, within);
        else Object.assign(info, await describe(driver, { signal: within }));
      } finally {
        await driver.close();
      }
    });
  } catch (error) {
    if (signal?.aborted && !isSlipwayError(error, "DEADLINE")) throw error;
    // A driver that slipway does not have is listed, and refused only when it is to be used.
    if (!isSlipwayError(error, "DRIVER_UNSUPPORTED")) info.error = messageOf(error);
  } finally {
    clearTimeout(notice);
  }
  return info;
}

/** Asks each of a node's daemons that runs. @throws the first one's error when none of them answers. */
async function loadInstances(
  info: NodeInfo,
  driver: Driver,
  instances: readonly DriverInstance[],
  signal: AbortSignal,
): Promise<void> {
  const running = instances.filter(({ status }) => status === "running");
  const asked = await Promise.allSettled(
    running.map(({ name }) => describe(driver, { instance: name, signal })),
  );
  const answers = new Map(running.map(({ name }, index) => [name, asked[index]]));
  const first = asked.find((answer) => answer.status === "fulfilled");
  if (!first && asked[0]?.status === "rejected") throw asked[0].reason;
  Object.assign(info, first?.value);
  info.instances = instances.map(({ name, status }): InstanceInfo => {
    const answer = answers.get(name);
    if (answer?.status === "rejected")
      return { name, status, platforms: [], error: messageOf(answer.reason) };
    const { platforms = [], version } = answer?.value ?? {};
    return { name, status, platforms, ...(version !== undefined && { version }) };
  });
}

/** What a daemon says of itself. */
async function describe(driver: Driver, options: { instance?: string; signal: AbortSignal }) {
  const client = await driver.connect({ boot: false, ...options });
  try {
    const { platforms, ...daemon } = await describeDaemon(driver, client, { signal: options.signal });
    return { ...daemon, platforms: dedupePlatforms(platforms.map(toPlatform)) };
  } finally {
    await client.close();
  }
}

function toPlatform({
  os,
  architecture,
  variant,
}: {
  os: string;
  architecture: string;
  variant: string;
}): Platform {
  return normalizePlatform({ os, architecture, ...(variant && { variant }) });
}
