import { type Dial, abortError, holdStream, linkSignal, messageOf } from "../../core/index.js";
import { DriverError } from "../driver-error.js";
import { type ClusterApi, ClusterApiError, pathPart } from "./cluster-api.js";
import { PodStream } from "./pod-stream.js";

/** A connection that is not made within this time will not be, in ms. */
const connectMilliseconds = 30_000;

/** The pod that a process is to run in. */
export interface PodTarget {
  namespace: string;
  pod: string;
  /** Default: the pod's first, or the one that it names as its default. */
  container?: string | undefined;
}

const command = ["buildctl", "dial-stdio"];

/**
 * Dials a buildkitd in a pod: `buildctl dial-stdio` is run there, and every connection is a process of its own. Over a WebSocket,
 * which Kubernetes has as its way for exec since 1.30; the older SPDY is not spoken.
 */
export function dialPod(api: ClusterApi, target: PodTarget): Dial {
  const { namespace, pod, container } = target;
  const query = new URLSearchParams();
  for (const word of command) query.append("command", word);
  if (container !== undefined) query.set("container", container);
  for (const stream of ["stdin", "stdout", "stderr"]) query.set(stream, "true");
  const path = `/api/v1/namespaces/${pathPart(namespace)}/pods/${pathPart(pod)}/exec?${query.toString()}`;
  const what = `${JSON.stringify(command.join(" "))} in pod ${namespace}/${pod}`;
  return async (signal) => {
    using linked = linkSignal(signal, {
      milliseconds: connectMilliseconds,
      what: `connecting to pod ${pod}`,
    });
    const stream = holdStream(new PodStream(what));
    const { client, server } = api.cluster;
    const { handler } = new client.Exec({
      getCurrentCluster: () => ({ server }),
      applyToHTTPSOptions: async (options) => {
        Object.assign(options, await api.requestOptions(), { signal: linked.signal });
      },
    });
    // What the other side closes: the status that follows says the same.
    handler.streams = { stdin: { pause() {} }, stdout: { end() {} }, stderr: { end() {} } };
    try {
      const socket = await handler.connect(path, null, (channel, data) => {
        stream.receive(channel, data);
        return true;
      });
      stream.attach(socket);
      return stream;
    } catch (error) {
      stream.destroy();
      if (signal?.aborted) throw abortError(signal);
      if (linked.signal.aborted) throw connectError(what, abortError(linked.signal));
      if (error instanceof DriverError) throw error;
      await explain(api, path, signal);
      throw connectError(what, (error as { error?: unknown }).error ?? error);
    }
  };
}

/** Why an upgrade was refused says the API to a plain request alone. @throws ClusterApiError, DriverError `DRIVER_CONNECT` */
async function explain(api: ClusterApi, path: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await api.call("GET", path, { signal });
  } catch (error) {
    // That it is no upgrade is all that is wrong with this one.
    if (error instanceof ClusterApiError && error.status === 400) return;
    throw error;
  }
}

function connectError(what: string, cause: unknown): DriverError {
  return new DriverError("DRIVER_CONNECT", `cannot run ${what}: ${messageOf(cause)}`, { cause });
}
