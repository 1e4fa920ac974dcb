import { parseGoBool, parseGoDuration } from "../../config/index.js";
import { messageOf } from "../../core/index.js";
import { defaultImage } from "../docker-container/options.js";
import { DriverError } from "../driver-error.js";
import { type KubernetesOpts, unknownOption } from "../driver-opts.js";
import { parsePairs, parseTolerations, type Toleration } from "./option-lists.js";

const rootlessImage = `${defaultImage}-rootless`;

/** What installs emulators on a node (buildx driver/bkimage). */
const qemuImage = "tonistiigi/binfmt:latest";

const defaultTimeout = 120_000;

/** Amounts of cpu, memory or storage by name, in Kubernetes' notation. */
export type Quantities = Readonly<Record<string, string>>;

/** Driver options of a kubernetes node, parsed. */
export interface KubernetesOptions {
  image: string;
  /** Absent: that of the kubeconfig's context. */
  namespace?: string;
  replicas: number;
  requests: Quantities;
  limits: Quantities;
  /** Size of a volume claim for each pod's state: a StatefulSet is made. */
  claim?: string;
  /** Size of a volume in memory for the state. */
  memoryRoot?: string;
  rootless: boolean;
  nodeSelector?: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  tolerations?: readonly Toleration[];
  serviceAccount?: string;
  schedulerName?: string;
  /** How long pods may take until they answer, in ms. */
  timeout: number;
  loadBalance: "sticky" | "random";
  /** Image that installs emulators on the pod's machine. */
  qemu?: string;
  env: readonly { name: string; value: string }[];
  defaultLoad: boolean;
}

/** Names of all options, for completion. */
export const kubernetesOptionNames: readonly (keyof KubernetesOpts | "env.")[] = [
  "image",
  "namespace",
  "replicas",
  "requests.cpu",
  "requests.memory",
  "requests.ephemeral-storage",
  "persistent-volume-claim.requests.storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  "rootless",
  "schedulername",
  "serviceaccount",
  "nodeselector",
  "annotations",
  "labels",
  "tolerations",
  "loadbalance",
  "qemu.install",
  "qemu.image",
  "buildkit-root-volume-memory",
  "default-load",
  "timeout",
  "env.",
];

/** Annotation with a node's platforms, and label with its name, which are not the user's (buildx driver/kubernetes/manifest). */
export const platformAnnotation = "buildx.docker.com/platform";
export const appLabel = "app";

/**
 * Parses `--driver-opt` values as buildx v0.38 driver/kubernetes/factory.go does.
 *
 * @throws DriverError `DRIVER_OPTION` that names the option.
 */
export function parseKubernetesOptions(driverOpts: Readonly<Record<string, string>>): KubernetesOptions {
  const given = new Map(Object.entries(driverOpts));
  const take = (name: string) => {
    const value = given.get(name);
    given.delete(name);
    return value === "" ? undefined : value;
  };
  const taken = <T>(name: string, parse: (value: string) => T): T | undefined => {
    const value = take(name);
    if (value === undefined) return undefined;
    try {
      return parse(value);
    } catch (error) {
      const why = messageOf(error);
      throw invalid(`invalid value ${JSON.stringify(value)} of driver option ${name}: ${why}`, error);
    }
  };
  const quantities = (kind: "requests" | "limits") => {
    const amounts: Record<string, string> = {};
    for (const resource of ["cpu", "memory", "ephemeral-storage"]) {
      const amount = taken(`${kind}.${resource}`, quantity);
      if (amount !== undefined) amounts[resource] = amount;
    }
    return amounts;
  };
  const rootless = taken("rootless", bool) ?? false;
  const wantsQemu = taken("qemu.install", bool) ?? false;
  const qemu = take("qemu.image") ?? qemuImage;
  const options: KubernetesOptions = {
    image: take("image") ?? (rootless ? rootlessImage : defaultImage),
    ...present("namespace", take("namespace")),
    replicas: taken("replicas", count) ?? 1,
    requests: quantities("requests"),
    limits: quantities("limits"),
    ...present("claim", taken("persistent-volume-claim.requests.storage", quantity)),
    ...present("memoryRoot", taken("buildkit-root-volume-memory", quantity)),
    rootless,
    ...present("nodeSelector", taken("nodeselector", parsePairs)),
    annotations: taken("annotations", (value) => parsePairs(value, { reserved: platformAnnotation })) ?? {},
    labels: taken("labels", (value) => parsePairs(value, { reserved: appLabel })) ?? {},
    ...present("tolerations", taken("tolerations", parseTolerations)),
    ...present("serviceAccount", take("serviceaccount")),
    ...present("schedulerName", take("schedulername")),
    timeout: taken("timeout", duration) ?? defaultTimeout,
    loadBalance: taken("loadbalance", balance) ?? "sticky",
    ...(wantsQemu && { qemu }),
    env: environment(given),
    defaultLoad: taken("default-load", bool) ?? false,
  };
  const [unknown] = given.keys();
  if (unknown !== undefined) throw unknownOption(unknown, "kubernetes", kubernetesOptionNames);
  if (options.claim !== undefined && options.memoryRoot !== undefined)
    throw invalid(
      "the driver options persistent-volume-claim.requests.storage and buildkit-root-volume-memory are for the same directory: give one of them",
    );
  return options;
}

/** Takes `env.NAME` options out of what is given. */
function environment(given: Map<string, string>): { name: string; value: string }[] {
  const variables: { name: string; value: string }[] = [];
  for (const [option, value] of [...given].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!option.startsWith("env.")) continue;
    const name = option.slice("env.".length);
    if (name === "") throw invalid(`invalid env option ${JSON.stringify(option)}, expecting env.FOO=bar`);
    given.delete(option);
    variables.push({ name, value });
  }
  return variables;
}

function present<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}

/** An amount as apimachinery's resource.ParseQuantity takes it. */
function quantity(value: string): string {
  if (!/^[+-]?(\d+(?:\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/.test(value))
    throw new Error("not a quantity such as 500m, 2 or 4Gi");
  return value;
}

function count(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number >= 2 ** 31)
    throw new Error("not a whole number, 1 or more");
  return number;
}

function bool(value: string): boolean {
  const parsed = parseGoBool(value);
  if (parsed === undefined) throw new Error("not a boolean");
  return parsed;
}

function duration(value: string): number {
  const milliseconds = parseGoDuration(value);
  if (!(milliseconds > 0)) throw new Error("not a duration above zero, such as 2m30s");
  return milliseconds;
}

function balance(value: string): "sticky" | "random" {
  if (value !== "sticky" && value !== "random") throw new Error("neither sticky nor random");
  return value;
}

function invalid(message: string, cause?: unknown): DriverError {
  return new DriverError("DRIVER_OPTION", message, { cause });
}
