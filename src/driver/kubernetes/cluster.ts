import { dirname, delimiter, join } from "node:path";
import { stat } from "node:fs/promises";
import { type Environment, homeDir } from "../../config/index.js";
import { messageOf, trimTrailing } from "../../core/index.js";
import { FileReadError, readBounded } from "../../fs/index.js";
import { DriverError } from "../driver-error.js";
import { type ClientNode, type KubeConfig, loadClientNode } from "./client-node.js";

/** Far more than any kubeconfig has, in bytes. */
const limit = 4 << 20;

/** The account of a pod, where this runs in one. */
const podToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** A cluster that calls can be made to, and what its context says. */
export interface Cluster {
  client: ClientNode;
  config: KubeConfig;
  /** Of the API, without a slash at its end. */
  server: string;
  namespace: string;
}

/** Where a cluster is found. */
export interface ClusterSource {
  env: Environment;
  /** As in `KUBECONFIG`. Absent: that variable, then `~/.kube/config`, then the account of the pod that this runs in. */
  kubeconfig?: string | undefined;
  /** Absent: the kubeconfig's current one. */
  context?: string | undefined;
}

/**
 * Finds a cluster, and reads what is needed to talk to it. Nothing is dialled.
 *
 * @throws DriverError `DRIVER_KUBECONFIG` that names what is wrong, `DRIVER_PACKAGE`.
 */
export async function openCluster({ env, kubeconfig, context }: ClusterSource): Promise<Cluster> {
  const named = kubeconfig || env["KUBECONFIG"] || "";
  const paths = named.split(delimiter).filter((path) => path !== "");
  const usual = join(homeDir(env), ".kube", "config");
  if (paths.length === 0 && (await isThere(usual))) paths.push(usual);
  const isInPod = paths.length === 0 && (await isThere(podToken));
  if (paths.length === 0 && !isInPod)
    throw unusable(
      `no kubeconfig: neither KUBECONFIG nor ${usual} names a cluster, and this is not a pod of one`,
    );
  const client = await loadClientNode();
  const config = isInPod ? ofPod(client) : await ofFiles(client, paths);
  const where = isInPod ? "the account of this pod" : `kubeconfig ${paths.join(delimiter)}`;
  if (context !== undefined) config.setCurrentContext(context);
  const current = config.getCurrentContext();
  if (!current)
    throw unusable(`${where} has no current context; choose one with: kubectl config use-context NAME`);
  const chosen = config.getContextObject(current);
  if (!chosen) throw unusable(`${where} has no context ${JSON.stringify(current)}`);
  const server = config.getCurrentCluster()?.server;
  if (typeof server !== "string" || !/^https?:\/\//.test(server) || !URL.canParse(server))
    throw unusable(`${where} has no usable server for the context ${JSON.stringify(current)}`);
  return { client, config, server: trimTrailing(server, "/"), namespace: chosen.namespace || "default" };
}

function ofPod(client: ClientNode): KubeConfig {
  const config = new client.KubeConfig();
  config.loadFromCluster();
  return config;
}

/** Of several files the first has the word (kubectl). */
async function ofFiles(client: ClientNode, paths: readonly string[]): Promise<KubeConfig> {
  let merged: KubeConfig | undefined;
  for (const path of paths) {
    // Of a list those that are not there are passed over, as by kubectl.
    if (paths.length > 1 && !(await isThere(path))) continue;
    const config = await ofFile(client, path);
    if (!merged) merged = config;
    else {
      const first: string | undefined = merged.getCurrentContext();
      try {
        merged.mergeConfig(config);
      } catch (error) {
        throw unusable(`kubeconfigs ${paths.join(delimiter)} do not go together: ${messageOf(error)}`, error);
      }
      if (first) merged.setCurrentContext(first);
    }
  }
  if (!merged)
    throw unusable(`cannot read kubeconfig ${paths.join(delimiter)}: none of these files is there`);
  return merged;
}

async function ofFile(client: ClientNode, path: string): Promise<KubeConfig> {
  let text: string;
  try {
    text = (await readBounded(path, { limit, special: "pipe" })).toString("utf8");
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw unusable(`cannot read kubeconfig ${path}: ${error.reason}`, error);
  }
  const config = new client.KubeConfig();
  try {
    config.loadFromString(text);
    config.makePathsAbsolute(dirname(path));
    return config;
  } catch (error) {
    throw unusable(`cannot read kubeconfig ${path}: ${whyUnread(error)}`);
  }
}

/** What a YAML parser says quotes the file, which may hold a token: only where it is that is told. */
function whyUnread(error: unknown): string {
  const { mark, linePos } = error as { mark?: { line?: number }; linePos?: { line?: number }[] };
  const line = typeof mark?.line === "number" ? mark.line + 1 : linePos?.[0]?.line;
  if (line !== undefined) return `it is not YAML, by line ${line}`;
  return error instanceof TypeError ? "it is not a kubeconfig" : (messageOf(error).split("\n")[0] ?? "");
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function unusable(message: string, cause?: unknown): DriverError {
  return new DriverError("DRIVER_KUBECONFIG", message, { cause });
}
