import { isIP } from "node:net";
import type { BuildkitClient } from "../../buildkit/index.js";
import type { NodeFeatures } from "../driver.js";

/** Labels of an engine's workers: the first is there where images lie in containerd (moby builder/builder-next). */
const snapshotterLabel = "org.mobyproject.buildkit.worker.snapshotter";
const hostGatewayLabel = "org.mobyproject.buildkit.worker.moby.host-gateway-ip";

/** What an engine's own daemon can do: much with the containerd image store, little with the classic one (buildx driver/docker/driver.go). */
export function engineNodeFeatures(workers: Awaited<ReturnType<BuildkitClient["workers"]>>): NodeFeatures {
  const isContainerd = workers.some(({ Labels }) => Object.hasOwn(Labels, snapshotterLabel));
  const hostGateway = workers.map(({ Labels }) => Labels[hostGatewayLabel]).find((address) => address);
  return {
    ociExporter: isContainerd,
    dockerExporter: isContainerd,
    cacheExport: isContainerd,
    multiPlatform: isContainerd,
    directPush: isContainerd,
    preferImageDigest: isContainerd,
    ...(hostGateway !== undefined && isIP(hostGateway) !== 0 && { hostGateway }),
  };
}
