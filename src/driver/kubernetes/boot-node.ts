import { type VertexWriter, messageOf, sleep, withDeadline } from "../../core/index.js";
import { isSlipwayError, throwIfAborted } from "../../core/index.js";
import { DriverError } from "../driver-error.js";
import type { Pod, Workload } from "./api-objects.js";
import { type ClusterApi, ClusterApiError, isNotFound, pathPart } from "./cluster-api.js";
import type { Manifests } from "./manifests.js";
import { findTrouble } from "./pod-trouble.js";
import { isRunning, listPods } from "./pods.js";

/** How often it is looked whether pods run, in ms. */
const pauseMilliseconds = 250;

/** A node in its cluster. */
export interface ClusterNode {
  api: ClusterApi;
  namespace: string;
  manifests: Manifests;
  /** How long pods may take, in ms. */
  timeout: number;
}

/** Path of a node's Deployment or StatefulSet. */
export function workloadPath({ namespace, manifests }: ClusterNode): string {
  return `${workloadsPath(namespace, manifests)}/${pathPart(manifests.workload.metadata.name)}`;
}

/** Makes what is missing of a node: config maps, then the workload. What is there stays as it is (buildx bootstrap). */
export async function makeNode(node: ClusterNode, signal: AbortSignal | undefined): Promise<void> {
  const { api, namespace, manifests } = node;
  if (await api.find(workloadPath(node), { signal })) return;
  const maps = `/api/v1/namespaces/${pathPart(namespace)}/configmaps`;
  for (const map of manifests.configMaps) {
    await orThere(api.call("POST", maps, { body: map, signal }), () =>
      api.call("PUT", `${maps}/${pathPart(map.metadata.name)}`, { body: map, signal }),
    );
  }
  // Another process may have made it since.
  const path = workloadsPath(namespace, manifests);
  await orThere(api.call("POST", path, { body: manifests.workload, signal }));
}

/**
 * Waits until as many pods as the node is to have run, and gives them. Kubernetes' own readiness is not waited for: its probe
 * comes after 5 s, and again every 30 s only. That the daemon answers shows when it is connected to.
 *
 * @throws DriverError `DRIVER_BOOT` with what the pods and their events say, after the node's timeout.
 */
export async function waitForPods(
  node: ClusterNode,
  vertex: VertexWriter,
  { replicas, signal }: { replicas: number; signal?: AbortSignal | undefined },
): Promise<Pod[]> {
  const { api, namespace, manifests, timeout } = node;
  let said = "";
  let running: Pod[] = [];
  const look = async (within: AbortSignal) => {
    for (;;) {
      const workload = await api.find<Workload>(workloadPath(node), { signal: within });
      if (!workload) throw new DriverError("DRIVER_BOOT", `${nameOf(node)} was removed while it was booted`);
      const pods = await listPods(api, namespace, manifests.selector, within);
      running = pods.filter(isRunning);
      if (running.length >= replicas) return running;
      const { lines, isFinal } = await findTrouble(api, namespace, { workload, pods, signal: within });
      const text = lines.join("; ");
      if (text !== "" && text !== said) vertex.log(2, Buffer.from(`${lines.join("\n")}\n`));
      said = text || said;
      if (isFinal) throw new DriverError("DRIVER_BOOT", said);
      await sleep(pauseMilliseconds, within);
    }
  };
  try {
    return await withDeadline(signal, timeout, "pods that run", look);
  } catch (error) {
    throwIfAborted(signal);
    const isLate = isSlipwayError(error, "DEADLINE");
    if (!isLate && !(error instanceof DriverError && error.code === "DRIVER_BOOT")) throw error;
    const why = isLate ? said || "no pod was made" : messageOf(error);
    const count = `expected ${replicas} replicas to run, got ${running.length}`;
    throw new DriverError(
      "DRIVER_BOOT",
      `${nameOf(node)}: ${isLate ? `${count} in ${timeout / 1000} s: ` : ""}${why}`,
      {
        cause: error,
      },
    );
  }
}

/** A node for messages, in kubectl's words. */
export function nameOf({ namespace, manifests }: ClusterNode): string {
  return `${manifests.kind.toLowerCase()} ${namespace}/${manifests.workload.metadata.name}`;
}

/** Removes what a node has in the cluster. Claims stay, as Kubernetes and buildx have it. */
export async function removeNode(node: ClusterNode, signal: AbortSignal | undefined): Promise<void> {
  const { api, namespace, manifests } = node;
  const maps = manifests.configMaps.map(
    ({ metadata }) => `/api/v1/namespaces/${pathPart(namespace)}/configmaps/${pathPart(metadata.name)}`,
  );
  for (const path of [workloadPath(node), ...maps]) {
    try {
      await api.call("DELETE", path, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function workloadsPath(namespace: string, { kind }: Manifests): string {
  return `/apis/apps/v1/namespaces/${pathPart(namespace)}/${kind.toLowerCase()}s`;
}

async function orThere(making: Promise<unknown>, otherwise?: () => Promise<unknown>): Promise<void> {
  try {
    await making;
  } catch (error) {
    if (!(error instanceof ClusterApiError) || error.reason !== "AlreadyExists") throw error;
    await otherwise?.();
  }
}
