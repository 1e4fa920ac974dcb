import type { Duplex } from "node:stream";
import { BuildkitClient, remoteWindows } from "../../buildkit/index.js";
import {
  type Dial,
  type VertexWriter,
  isSlipwayError,
  messageOf,
  sleep,
  throwIfAborted,
  withDeadline,
  withVertex,
} from "../../core/index.js";
import {
  type ConnectOptions,
  type DiagnoseOptions,
  type Driver,
  type DriverCallOptions,
  type DriverFeatures,
  type DriverInstance,
  type NodeFeatures,
  type NodeStatus,
  type RemoveOptions,
  allNodeFeatures,
} from "../driver.js";
import { DriverError } from "../driver-error.js";
import type { Pod, Workload } from "./api-objects.js";
import { type ClusterNode, makeNode, nameOf, removeNode, waitForPods, workloadPath } from "./boot-node.js";
import { pathPart } from "./cluster-api.js";
import { dialPod } from "./dial-pod.js";
import { openedOnce } from "./opened-once.js";
import type { KubernetesOptions } from "./options.js";
import { fateOf } from "./pod-trouble.js";
import { isRunning, listPods, randomPod, stickyPod } from "./pods.js";

/** One try to get an answer of a daemon that runs, in ms. */
const attemptMilliseconds = 20_000;

/** How often a daemon that has only just begun is tried, in ms. */
const pauseMilliseconds = 250;

/** How long is asked what became of a pod, and how long the cluster may take to know, in ms. */
const diagnoseMilliseconds = 5_000;
const settleMilliseconds = 2_000;

/** What a {@link KubernetesDriver} is made of. */
export interface KubernetesNode {
  /** Opens the cluster at the first call, so that a missing kubeconfig is told where it matters. */
  open(): Promise<ClusterNode>;
  options: KubernetesOptions;
  isWanted?: (() => Promise<boolean>) | undefined;
}

/** A connection to the daemon of one pod, and the way to further ones to the same. */
interface PodConnection {
  client: BuildkitClient;
  dial: Dial;
}

/** BuildKit in pods of a Kubernetes cluster, a Deployment or StatefulSet a node: Docker's kubernetes driver. */
export class KubernetesDriver implements Driver {
  readonly name = "kubernetes";
  readonly features: DriverFeatures;
  readonly #node: KubernetesNode;
  readonly #open: (signal: AbortSignal | undefined) => Promise<ClusterNode>;
  /** The pod that was connected to last. */
  #last: { name: string; restarts: number } | undefined;

  constructor(node: KubernetesNode) {
    this.#node = node;
    this.#open = openedOnce(() => node.open());
    this.features = {
      defaultLoad: node.options.defaultLoad,
      engineStore: false,
      ownsDaemon: true,
      replacesDaemon: true,
    };
  }

  nodeFeatures(): Promise<NodeFeatures> {
    return Promise.resolve(allNodeFeatures);
  }

  async status({ signal }: DriverCallOptions = {}): Promise<NodeStatus> {
    const node = await this.#open(signal);
    const workload = await node.api.find<Workload>(workloadPath(node), { signal });
    if (!workload) return "inactive";
    const pods = await this.#pods(node, signal);
    if (pods.some(isRunning)) return "running";
    return pods.length > 0 ? "starting" : "stopped";
  }

  async instances({ signal }: DriverCallOptions = {}): Promise<DriverInstance[]> {
    const pods = await this.#pods(await this.#open(signal), signal);
    return pods.map((pod) => ({ name: pod.metadata.name, status: isRunning(pod) ? "running" : "starting" }));
  }

  async connect(options: ConnectOptions = {}): Promise<BuildkitClient> {
    return (await this.#connect(options)).client;
  }

  async dial(options: ConnectOptions = {}): Promise<Duplex> {
    const { client, dial } = await this.#connect(options);
    await client.close();
    return dial(options.signal);
  }

  async #connect(options: ConnectOptions): Promise<PodConnection> {
    const { sink, signal, boot = true } = options;
    const node = await this.#open(signal);
    const running = (await this.#pods(node, signal)).filter(isRunning);
    const pod = this.#choose(running, options);
    if (pod) return this.#try(node, pod, signal);
    if (!boot || options.instance !== undefined)
      throw new DriverError("DRIVER_NOT_RUNNING", `${nameOf(node)} has no running pod`);
    return withVertex(sink, "[internal] booting buildkit", async (vertex) => {
      let connection: PodConnection | undefined;
      let failure: unknown;
      try {
        connection = await this.#boot(node, vertex, options);
      } catch (error) {
        failure = error;
      }
      // A builder that was removed while it was booted leaves nothing (STO-8).
      if (!signal?.aborted && (await this.#node.isWanted?.()) === false) {
        await connection?.client.close();
        await removeNode(node, signal);
        throw new DriverError(
          "DRIVER_BOOT",
          `the builder of ${nameOf(node)} was removed while it was booted`,
        );
      }
      if (connection) return connection;
      if (!isSlipwayError(failure, "DRIVER_BOOT")) throw failure;
      const wayOut =
        "It stays in the cluster, and is waited for again by the next build; slipway rm removes it";
      throw new DriverError("DRIVER_BOOT", `${failure.message}. ${wayOut}`, { cause: failure });
    });
  }

  async #boot(node: ClusterNode, vertex: VertexWriter, options: ConnectOptions): Promise<PodConnection> {
    const { signal } = options;
    const deadline = Date.now() + node.timeout;
    await makeNode(node, signal);
    const pods = await waitForPods(node, vertex, { replicas: this.#node.options.replicas, signal });
    const chosen = this.#choose(pods, options);
    if (!chosen) throw new DriverError("DRIVER_BOOT", `${nameOf(node)} has no running pod`);
    for (;;) {
      try {
        return await this.#try(node, chosen, signal);
      } catch (error) {
        throwIfAborted(signal);
        // A refusal stays one; a daemon that has just been started comes.
        if (!isSlipwayError(error, "DRIVER_CONNECT")) throw error;
        if (Date.now() >= deadline)
          throw new DriverError("DRIVER_BOOT", `${nameOf(node)}: ${messageOf(error)}`, { cause: error });
        await sleep(pauseMilliseconds, signal);
      }
    }
  }

  async #try(node: ClusterNode, pod: Pod, signal: AbortSignal | undefined): Promise<PodConnection> {
    const { name } = pod.metadata;
    const container = pod.spec?.containers?.[0]?.name;
    const dial = dialPod(node.api, { namespace: node.namespace, pod: name, container });
    let client: BuildkitClient | undefined;
    try {
      await withDeadline(
        signal,
        attemptMilliseconds,
        `an answer of buildkitd in pod ${name}`,
        async (within) => {
          client = await BuildkitClient.connect(dial, { windows: remoteWindows, signal: within });
          await client.info({ signal: within });
        },
      );
      this.#last = { name, restarts: pod.status?.containerStatuses?.[0]?.restartCount ?? 0 };
      return { client: client as unknown as BuildkitClient, dial };
    } catch (error) {
      await client?.close();
      throwIfAborted(signal);
      if (error instanceof DriverError) throw error;
      const why = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : "";
      const message = `cannot connect to buildkitd in pod ${node.namespace}/${name}: ${messageOf(error)}${why}`;
      throw new DriverError("DRIVER_CONNECT", message, { cause: error });
    }
  }

  #choose(pods: readonly Pod[], { instance, affinity = "" }: ConnectOptions): Pod | undefined {
    if (instance !== undefined) return pods.find(({ metadata }) => metadata.name === instance);
    return this.#node.options.loadBalance === "random" ? randomPod(pods) : stickyPod(pods, affinity);
  }

  /** The driver of buildx does not say it either; Control.Info does. */
  version(): Promise<string> {
    return Promise.resolve("");
  }

  /** Does nothing, as buildx: a Deployment of no pods would be waited for in vain by it. */
  stop(): Promise<void> {
    return Promise.resolve();
  }

  async remove({ signal }: RemoveOptions = {}): Promise<void> {
    await removeNode(await this.#open(signal), signal);
  }

  async diagnose({ signal }: DiagnoseOptions): Promise<string | undefined> {
    const last = this.#last;
    if (!last) return undefined;
    try {
      const { api, namespace } = await this.#open(signal);
      const path = `/api/v1/namespaces/${pathPart(namespace)}/pods/${pathPart(last.name)}`;
      return await withDeadline(signal, diagnoseMilliseconds, "asking the cluster", async (within) => {
        const settled = Date.now() + settleMilliseconds;
        for (;;) {
          const pod = await api.find<Pod>(path, { signal: within });
          const fate = pod ? fateOf(pod, last) : `pod ${last.name} was removed`;
          if (fate !== undefined || Date.now() >= settled) return fate;
          await sleep(pauseMilliseconds, within);
        }
      });
    } catch (error) {
      return signal?.aborted ? undefined : messageOf(error);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #pods({ api, namespace, manifests }: ClusterNode, signal: AbortSignal | undefined): Promise<Pod[]> {
    return listPods(api, namespace, manifests.selector, signal);
  }
}
