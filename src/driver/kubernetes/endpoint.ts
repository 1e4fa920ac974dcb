import { randomBytes, randomUUID } from "node:crypto";
import { delimiter, resolve } from "node:path";

/** What the endpoint of a kubernetes node says. */
export interface KubernetesEndpoint {
  /** As in `KUBECONFIG`: a path, or several. Absent: where kubectl looks. */
  kubeconfig?: string;
}

/**
 * The endpoint that names a node in the store: `kubernetes:///BUILDER?deployment=…&kubeconfig=…`. `deployment` only keeps the
 * endpoints of a builder apart; `kubeconfig` is used by every later command (buildx v0.38 builder/builder.go Create).
 */
export function makeEndpoint(
  builder: string,
  node: string | undefined,
  kubeconfig: string | undefined,
): string {
  const deployment = node ?? `buildkit-${randomUUID()}-${randomBytes(3).toString("hex").slice(0, 5)}`;
  const absolute = (kubeconfig ?? "")
    .split(delimiter)
    .filter((path) => path !== "")
    .map((path) => resolve(path))
    .join(delimiter);
  const query = new URLSearchParams({ deployment, kubeconfig: absolute });
  return `kubernetes:///${encodeURIComponent(builder)}?${query.toString()}`;
}

/** Reads an endpoint of the store; another text says nothing. */
export function parseEndpoint(endpoint: string): KubernetesEndpoint {
  const query = endpoint.startsWith("kubernetes://") ? endpoint.slice(endpoint.indexOf("?") + 1) : "";
  const kubeconfig = new URLSearchParams(query).get("kubeconfig");
  return kubeconfig ? { kubeconfig } : {};
}
