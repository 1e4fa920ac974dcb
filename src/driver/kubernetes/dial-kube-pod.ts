import type { Environment } from "../../config/index.js";
import type { Dial } from "../../core/index.js";
import { openCluster } from "./cluster.js";
import { ClusterApi } from "./cluster-api.js";
import { dialPod } from "./dial-pod.js";
import { openedOnce } from "./opened-once.js";

/** Dials the daemon of a `kube-pod://` address. The kubeconfig is read by the first call that can, which throws what {@link openCluster} does. */
export function dialKubePod(
  {
    pod,
    context,
    namespace,
    container,
  }: { pod: string; context?: string; namespace?: string; container?: string },
  env: Environment,
): Dial {
  const opened = openedOnce(async () => {
    const cluster = await openCluster({ env, context });
    return dialPod(new ClusterApi(cluster), { namespace: namespace ?? cluster.namespace, pod, container });
  });
  return async (signal) => (await opened(signal))(signal);
}
