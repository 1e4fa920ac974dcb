import type { EventSink } from "../../core/index.js";
import type { AskGateway, Gateway } from "../gateway-drive.js";
import { askFrontend } from "../solve-request.js";
import { CacheMountTransfer } from "./cache-mount-transfer.js";
import { findCacheMounts } from "./find-cache-mounts.js";
import { evaluate, graphsOf } from "./frontend-result.js";
import { MountContainers } from "./mount-containers.js";
import type { CacheMountsOption } from "./plan-cache-mounts.js";

/**
 * Drives a build so that its cache mounts are filled before its first step runs, and saved when its last has ended, also when one
 * failed. What a frontend makes of a Dockerfile says which there are.
 */
export function carryCacheMounts(
  { dir, image }: CacheMountsOption,
  { sink, ask = askFrontend }: { sink: EventSink; ask?: AskGateway | undefined },
): AskGateway {
  return (bridge, options) => {
    const { signal } = options;
    const solve: Gateway["solve"] = async (request, callOptions) => {
      // Nothing is built until the result is looked into.
      const answer = await bridge.solve({ ...request, Evaluate: false }, callOptions);
      const mounts = findCacheMounts(graphsOf(answer.result));
      const containers = new MountContainers({ bridge, signal, image });
      const transfer = new CacheMountTransfer({ dir, containers, sink, signal });
      await transfer.fill(mounts);
      try {
        await evaluate(answer.result, bridge, signal);
      } catch (error) {
        // The error that ended the build is the one to tell.
        if (!signal.aborted) await transfer.save(mounts).catch((failure: unknown) => transfer.warn(failure));
        throw error;
      }
      await transfer.save(mounts);
      return answer;
    };
    return ask({ ...bridge, solve }, options);
  };
}
