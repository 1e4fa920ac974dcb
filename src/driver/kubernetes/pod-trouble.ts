import type { ClusterEvent, ContainerStatus, Pod, Workload } from "./api-objects.js";
import { type ClusterApi, pathPart } from "./cluster-api.js";
import { isRunning } from "./pods.js";

/** What keeps a node's pods from running. */
export interface Trouble {
  /** One sentence a pod, or why there is none; in Kubernetes' words. Empty: nothing is known to be wrong. */
  lines: string[];
  /** No waiting cures it. */
  isFinal: boolean;
}

/** Reasons of waiting containers that stay until somebody changes the node. */
const finalReasons: ReadonlySet<string> = new Set(["InvalidImageName", "ErrImageNeverPull"]);

/** Names what keeps pods from running, by their own state and events. */
export async function findTrouble(
  api: ClusterApi,
  namespace: string,
  { workload, pods, signal }: { workload: Workload; pods: readonly Pod[]; signal?: AbortSignal | undefined },
): Promise<Trouble> {
  const waiting = pods.filter((pod) => !isRunning(pod));
  if (pods.length > 0 && waiting.length === 0) return { lines: [], isFinal: false };
  const items = await api.list<ClusterEvent>(
    `/api/v1/namespaces/${pathPart(namespace)}/events?fieldSelector=type%3DWarning`,
    { signal },
  );
  const eventsOf = (uid: string | undefined) =>
    items
      .filter(({ involvedObject }) => uid !== undefined && involvedObject?.uid === uid)
      .sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1))
      .flatMap(({ reason = "", message = "" }) => [`${reason}: ${oneLine(message)}`]);
  if (pods.length === 0) {
    const refused = workload.status?.conditions?.find(
      ({ type, status }) => type === "ReplicaFailure" && status === "True",
    );
    const last = eventsOf(workload.metadata.uid).at(-1);
    const why = refused ? `${refused.reason ?? ""}: ${oneLine(refused.message ?? "")}` : last;
    return { lines: why === undefined ? [] : [`no pod was made: ${why}`], isFinal: false };
  }
  const lines = waiting.map((pod) => {
    const state = stateOf(pod);
    const last = eventsOf(pod.metadata.uid).at(-1);
    const event = last === undefined || state.includes(last) ? "" : ` (${last})`;
    return `pod ${pod.metadata.name} ${state}${event}`;
  });
  const isFinal = waiting.some((pod) =>
    containersOf(pod).some(({ state }) => finalReasons.has(state?.waiting?.reason ?? "")),
  );
  return { lines, isFinal };
}

/** What became of a pod that was connected to; undefined when it is as it was. */
export function fateOf(pod: Pod, before: { restarts: number }): string | undefined {
  const { status, metadata } = pod;
  const name = `pod ${metadata.name}`;
  if (status?.reason === "Evicted") return `${name} was evicted: ${oneLine(status.message ?? "")}`;
  if (metadata.deletionTimestamp !== undefined) return `${name} is being removed`;
  const [container] = status?.containerStatuses ?? [];
  const ended = container?.state?.terminated ?? container?.lastState?.terminated;
  const hasEnded =
    container?.state?.terminated !== undefined || (container?.restartCount ?? 0) > before.restarts;
  if (hasEnded && ended)
    return ended.reason === "OOMKilled"
      ? `the daemon in ${name} was killed (out of memory)`
      : `the daemon in ${name} ended with exit code ${ended.exitCode ?? "unknown"}`;
  if (status?.phase === "Failed" || status?.phase === "Succeeded")
    return `${name} has ended: ${status.reason ?? status.phase}${status.message ? `: ${oneLine(status.message)}` : ""}`;
  return undefined;
}

/** Why a pod does not run. */
function stateOf(pod: Pod): string {
  const { status = {} } = pod;
  if (status.reason) return `has ended: ${status.reason}: ${oneLine(status.message ?? "")}`;
  for (const { name, state, lastState } of containersOf(pod)) {
    const { waiting, terminated } = state ?? {};
    if (terminated) return `has a container ${name} that ended: ${ending(terminated)}`;
    // It is on its way.
    if (!waiting || waiting.reason === "ContainerCreating" || waiting.reason === "PodInitializing") continue;
    const before = lastState?.terminated ? `, after it ended: ${ending(lastState.terminated)}` : "";
    return `waits: ${waiting.reason ?? ""}: ${oneLine(waiting.message ?? "")}${before}`;
  }
  const unscheduled = status.conditions?.find(
    ({ type, status: value }) => type === "PodScheduled" && value === "False",
  );
  if (unscheduled) return `is pending: ${unscheduled.reason ?? ""}: ${oneLine(unscheduled.message ?? "")}`;
  return status.phase === "Running" || status.phase === undefined
    ? "is starting"
    : `is ${status.phase.toLowerCase()}`;
}

function ending({
  reason = "",
  exitCode,
  message = "",
}: {
  reason?: string;
  exitCode?: number;
  message?: string;
}) {
  return `${reason}${exitCode === undefined ? "" : ` (exit code ${exitCode})`}${message && `: ${oneLine(message)}`}`;
}

function containersOf({ status }: Pod): ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function timeOf({ lastTimestamp, eventTime }: ClusterEvent): string {
  return lastTimestamp ?? eventTime ?? "";
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ").slice(0, 500);
}
