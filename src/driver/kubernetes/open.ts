import type { DriverSpec } from "../driver-kind.js";
import { openCluster } from "./cluster.js";
import { ClusterApi } from "./cluster-api.js";
import { parseEndpoint } from "./endpoint.js";
import { KubernetesDriver } from "./kubernetes-driver.js";
import { deploymentName, nodeManifests } from "./manifests.js";
import { parseKubernetesOptions } from "./options.js";

/** The driver of a kubernetes node. The kubeconfig is read by the first call. @throws DriverError `DRIVER_OPTION` */
export function openKubernetes(spec: DriverSpec): KubernetesDriver {
  const options = parseKubernetesOptions(spec.driverOpts);
  const { kubeconfig } = parseEndpoint(spec.endpoint);
  const open = async () => {
    const cluster = await openCluster({ env: spec.env, kubeconfig });
    const namespace = options.namespace ?? cluster.namespace;
    const manifests = nodeManifests({
      name: deploymentName(spec.nodeName),
      namespace,
      options,
      platforms: spec.platforms ?? [],
      flags: spec.flags,
      files: spec.files,
      ownAnnotations: spec.labels,
    });
    return { api: new ClusterApi(cluster), namespace, manifests, timeout: options.timeout };
  };
  return new KubernetesDriver({ open, options, isWanted: spec.isWanted });
}
