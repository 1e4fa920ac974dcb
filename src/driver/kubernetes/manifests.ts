import { type KubernetesOptions, appLabel, platformAnnotation } from "./options.js";
import { configMaps } from "./config-maps.js";
import type { ApiObject } from "./api-objects.js";

/** What the manifests of a node are made of. */
export interface ManifestSpec {
  /** As {@link deploymentName} gives it. */
  name: string;
  namespace: string;
  options: KubernetesOptions;
  /** Platforms that the node is for. */
  platforms: readonly string[];
  /** Flags of buildkitd. */
  flags: readonly string[];
  /** Config files by path relative to `/etc/buildkit`. */
  files: ReadonlyMap<string, Uint8Array>;
  /** What slipway itself keeps with the node. */
  ownAnnotations?: Readonly<Record<string, string>> | undefined;
}

/** What a node is in the cluster. */
export interface Manifests {
  kind: "Deployment" | "StatefulSet";
  /** Its labels, which pods of it are found by. */
  selector: Readonly<Record<string, string>>;
  workload: ApiObject;
  configMaps: readonly ApiObject[];
}

const containerName = "buildkitd";
const claimName = "buildkitd";
const memoryVolume = "buildkit-memory";
const stateDirectory = "/var/lib/buildkit";
/** The image's own volume there may be mounted nosuid, which does not work: moby/buildkit issue 879. */
const rootlessStateDirectory = "/home/user/.local/share/buildkit";

/** A node's name in the cluster (buildx driver/kubernetes buildxNameToDeploymentName). */
export function deploymentName(nodeName: string): string {
  return nodeName.replaceAll("_", "-");
}

/** The selector of a node's pods, known without its manifests. */
export function podSelector(name: string, { labels }: KubernetesOptions): Record<string, string> {
  return { [appLabel]: name, ...labels };
}

/**
 * The objects of a node as buildx v0.38 driver/kubernetes/manifest names, labels and fills them, so that each client finds what
 * the other made. Two things of buildx's are not followed: it asks for `requests.ephemeral-storage` as a limit, and forgets
 * config files where there is a volume claim.
 */
export function nodeManifests(spec: ManifestSpec): Manifests {
  const { name, namespace, options, platforms, ownAnnotations = {} } = spec;
  const selector = podSelector(name, options);
  const annotations = {
    ...ownAnnotations,
    ...(platforms.length > 0 && { [platformAnnotation]: platforms.join(",") }),
    ...options.annotations,
  };
  const metadata = { namespace, name, labels: selector, annotations };
  const configs = configMaps(spec.files, { namespace, name, annotations });
  const kind = options.claim === undefined ? "Deployment" : "StatefulSet";
  const workload: ApiObject = {
    apiVersion: "apps/v1",
    kind,
    metadata,
    spec: {
      ...(options.claim !== undefined && {
        serviceName: claimName,
        podManagementPolicy: "Parallel",
        volumeClaimTemplates: [
          {
            metadata: { name: claimName },
            spec: {
              accessModes: ["ReadWriteOnce"],
              resources: { requests: { storage: options.claim } },
            },
          },
        ],
      }),
      replicas: options.replicas,
      selector: { matchLabels: selector },
      template: {
        metadata: {
          labels: selector,
          annotations: {
            ...annotations,
            ...(options.rootless && {
              [`container.apparmor.security.beta.kubernetes.io/${containerName}`]: "unconfined",
            }),
          },
        },
        spec: podSpec(spec, configs),
      },
    },
  };
  return { kind, selector, workload, configMaps: configs.map(({ object }) => object) };
}

function podSpec({ options, flags }: ManifestSpec, configs: ReturnType<typeof configMaps>): object {
  const state = stateVolume(options);
  const volumes = [...configs.map(({ volume }) => volume), ...(state.volume ? [state.volume] : [])];
  const mounts = [...configs.map(({ mount }) => mount), ...(state.mount ? [state.mount] : [])];
  const probe = {
    exec: { command: ["buildctl", "debug", "workers"] },
    failureThreshold: 3,
    initialDelaySeconds: 5,
    periodSeconds: 30,
    successThreshold: 1,
    timeoutSeconds: 60,
  };
  return {
    ...(options.serviceAccount && { serviceAccountName: options.serviceAccount }),
    ...(options.schedulerName && { schedulerName: options.schedulerName }),
    ...(options.nodeSelector && { nodeSelector: options.nodeSelector }),
    ...(options.tolerations && { tolerations: options.tolerations }),
    ...(options.qemu && {
      initContainers: [
        {
          name: "qemu",
          image: options.qemu,
          args: ["--install", "all"],
          securityContext: { privileged: true },
        },
      ],
    }),
    containers: [
      {
        name: containerName,
        image: options.image,
        args: [...flags, ...(options.rootless ? ["--oci-worker-no-process-sandbox"] : [])],
        securityContext: options.rootless ? { seccompProfile: { type: "Unconfined" } } : { privileged: true },
        readinessProbe: probe,
        livenessProbe: probe,
        resources: { requests: options.requests, limits: options.limits },
        ...(options.env.length > 0 && { env: options.env }),
        ...(mounts.length > 0 && { volumeMounts: mounts }),
      },
    ],
    ...(volumes.length > 0 && { volumes }),
  };
}

/** Where BuildKit's state lies: a claim's volume, one in memory, or the container's own file system. */
function stateVolume({ claim, memoryRoot, rootless }: KubernetesOptions): {
  volume?: object;
  mount?: object;
} {
  const mountPath = rootless ? rootlessStateDirectory : stateDirectory;
  if (claim !== undefined) return { mount: { name: claimName, mountPath } };
  if (!rootless && memoryRoot === undefined) return {};
  const name = rootless ? claimName : memoryVolume;
  const emptyDir = memoryRoot === undefined ? {} : { medium: "Memory", sizeLimit: memoryRoot };
  return { volume: { name, emptyDir }, mount: { name, mountPath } };
}
