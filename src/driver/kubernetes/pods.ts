import { createHash, randomInt } from "node:crypto";
import type { Pod } from "./api-objects.js";
import { type ClusterApi, pathPart } from "./cluster-api.js";

/** All pods of a node, by name, without those that are on their way out: what runs there is killed soon. */
export async function listPods(
  api: ClusterApi,
  namespace: string,
  selector: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Pod[]> {
  const labels = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  const query = new URLSearchParams({ labelSelector: labels.join(",") });
  const path = `/api/v1/namespaces/${pathPart(namespace)}/pods?${query.toString()}`;
  const pods = await api.list<Pod>(path, { signal });
  return pods
    .filter(({ metadata }) => metadata?.name && metadata.deletionTimestamp === undefined)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** Whether the pod's first container runs, so that processes can be started in it. */
export function isRunning({ status }: Pod): boolean {
  return status?.phase === "Running" && status.containerStatuses?.[0]?.state?.running !== undefined;
}

/** Chooses a pod for a key by a ring of hashes, as buildx does: the same context goes to the same pod from both clients. */
export function stickyPod(pods: readonly Pod[], key: string): Pod | undefined {
  const ring = pods
    .map((pod) => ({ pod, place: ringPlace(`${pod.metadata.name}-0`) }))
    .sort((a, b) => (isBefore(a.place, b.place) ? -1 : 1));
  const place = ringPlace(key);
  return (ring.find((one) => isBefore(place, one.place)) ?? ring[0])?.pod;
}

/** Any pod. */
export function randomPod(pods: readonly Pod[]): Pod | undefined {
  return pods.length === 0 ? undefined : pods[randomInt(pods.length)];
}

/** Two signed numbers, compared one after the other (the package hashring, NewInt64PairHashKey). */
type RingPlace = readonly [bigint, bigint];

function ringPlace(text: string): RingPlace {
  const digest = createHash("md5").update(text).digest();
  return [digest.readBigInt64LE(0), digest.readBigInt64LE(8)];
}

function isBefore(a: RingPlace, b: RingPlace): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
