import type { NodeFeatures } from "../driver/index.js";
import { parseGoBool } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import type { PlannedExport } from "./outputs.js";
import type { SolvePlan } from "./solve-plan.js";

/** What of a node a plan depends on. */
export interface NodeFacts {
  driverName: string;
  /** Images are built into the engine's own store. */
  engineStore: boolean;
  features: NodeFeatures;
  /** As builders name it; of a node on an engine its docker context or host. */
  endpoint?: string | undefined;
}

/**
 * Settles what of a plan depends on the node that it is for, and refuses what that node cannot do (buildx v0.38 build/opt.go
 * toSolveOpt). Nothing has been sent yet.
 *
 * @throws InvalidArgumentError in buildx's words, with the way out.
 */
export function planForNode(plan: SolvePlan, node: NodeFacts): SolvePlan {
  const { features } = node;
  if (plan.epoch && node.engineStore && !features.multiPlatform)
    throw new InvalidArgumentError(
      `the classic image store of the ${node.driverName} driver keeps the times of files: reproducible (--reproducible) needs a container builder, or the containerd image store`,
    );
  const attrs = { ...plan.attrs };
  if (!features.cacheExport && plan.caches.exports.some(({ type }) => type !== "inline"))
    throw notSupported("Cache export", node, "https://docs.docker.com/go/build-cache-backends/");
  if (!features.multiPlatform) {
    if (plan.attestations)
      throw notSupported("Attestation", node, "https://docs.docker.com/go/attestations/");
    delete attrs["attest:provenance"];
  }
  const exports = node.engineStore ? plan.exports.map((entry) => intoStore(entry, node)) : plan.exports;
  if (!features.multiPlatform && plan.platforms.length > 1)
    throw notSupported("Multi-platform build", node, "https://docs.docker.com/go/build-multi-platform/");
  if (attrs["add-hosts"] !== undefined) attrs["add-hosts"] = withHostGateway(attrs["add-hosts"], node);
  if (!node.engineStore) return { ...plan, attrs };
  // Bases come from the engine's store first, unless they are to be pulled.
  attrs["image-resolve-mode"] ??= "local";
  const { inputs } = plan;
  for (const [name, image] of inputs.engineContexts) attrs[`context:${name}`] = `docker-image://${image}`;
  return { ...plan, attrs, exports, inputs: { ...inputs, engineContexts: new Map() }, engineImages: false };
}

/** What of an image stays in the engine is the work of its own exporter, which BuildKit itself has not got: `moby`. */
function intoStore(entry: PlannedExport, node: NodeFacts): PlannedExport {
  const { type, destination } = entry;
  const { features, endpoint } = node;
  const exporters = "https://docs.docker.com/go/build-exporters/";
  if (type === "oci" && !features.ociExporter) throw notSupported("OCI exporter", node, exporters);
  const isLoad = type === "docker" && destination.kind === "load";
  if (type === "docker" && !isLoad && !features.dockerExporter)
    throw notSupported("Docker exporter", node, exporters);
  if (type !== "image" && !isLoad) return entry;
  const { context, ...attrs } = entry.attrs;
  if (isLoad && context !== undefined && context !== endpoint)
    throw new InvalidArgumentError(
      `the docker driver builds into the engine of ${endpoint ?? "its context"}, not into that of context ${context}: build there with --builder ${context}, or with a container builder`,
    );
  if (isPush(entry) && parseGoBool(attrs["push-by-digest"] ?? "") === true)
    throw new InvalidArgumentError(
      "push-by-digest is currently not implemented for docker driver, please create a new builder instance",
    );
  if (!features.multiPlatform && Object.keys(attrs).some((name) => name.startsWith("annotation-index")))
    throw new InvalidArgumentError("index annotations not supported for single platform export");
  // The containerd store knows images by the digest of their manifest or index.
  if (features.preferImageDigest) attrs["prefer-image-digest"] = "true";
  return { type: "moby", attrs, destination: { kind: "none" } };
}

/** Whether an image is to be pushed. */
export function isPush({ attrs }: Pick<PlannedExport, "attrs">): boolean {
  return parseGoBool(attrs["push"] ?? "") === true;
}

function withHostGateway(hosts: string, { features, driverName }: NodeFacts): string {
  return hosts
    .split(",")
    .map((host) => {
      if (!host.endsWith("=host-gateway")) return host;
      if (features.hostGateway !== undefined)
        return host.replace(/=host-gateway$/, `=${features.hostGateway}`);
      const why =
        driverName === "docker"
          ? "host-gateway IP not found"
          : `host-gateway is not supported by the ${driverName} driver`;
      throw new InvalidArgumentError(`unable to derive the IP value for host-gateway: ${why}`);
    })
    .join(",");
}

function notSupported(what: string, { driverName }: NodeFacts, page: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `${what} is not supported for the ${driverName} driver.\nSwitch to a different driver, or turn on the containerd image store, and try again.\nLearn more at ${page}`,
  );
}
