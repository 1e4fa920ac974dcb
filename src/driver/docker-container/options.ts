import { parseGoBool, parseSize } from "../../config/index.js";
import { messageOf } from "../../core/index.js";
import { DriverError } from "../driver-error.js";
import { type DockerContainerOpts, unknownOption } from "../driver-opts.js";

/** The image of a builder that names none (buildx driver/bkimage). */
export const defaultImage = "moby/buildkit:buildx-stable-1";

/** Restart policy of the builder container; an empty name is the engine's default, `no`. */
export interface RestartPolicy {
  name: string;
  maximumRetryCount: number;
}

/** Driver options of a docker-container node, parsed. Sizes in bytes, CPU times in µs; absent: not sent to the engine. */
export interface DockerContainerOptions {
  image: string;
  network?: string;
  memory?: number;
  memorySwap?: number;
  cpuQuota?: number;
  cpuPeriod?: number;
  cpuShares?: number;
  cpusetCpus?: string;
  cpusetMems?: string;
  cgroupParent?: string;
  restartPolicy: RestartPolicy;
  /** `NAME=value`, in byte order of the names. */
  env: string[];
  defaultLoad: boolean;
  provenanceAddGha: boolean;
  allowUntrustedImage: boolean;
}

/**
 * Parses `--driver-opt` values as buildx v0.36 driver/docker-container/factory.go does.
 *
 * @throws DriverError `DRIVER_OPTION` that names the option, for an unknown one or a value that does not parse.
 */
export function parseDriverOptions(driverOpts: Readonly<Record<string, string>>): DockerContainerOptions {
  const options: DockerContainerOptions = {
    image: defaultImage,
    restartPolicy: { name: "unless-stopped", maximumRetryCount: 0 },
    env: [],
    defaultLoad: false,
    provenanceAddGha: true,
    allowUntrustedImage: false,
  };
  for (const [name, value] of Object.entries(driverOpts).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (name.startsWith("env.")) options.env.push(parseEnvironment(name, value));
    else {
      const parse = Object.hasOwn(parsers, name) ? parsers[name as keyof typeof parsers] : undefined;
      if (!parse) throw unknownOption(name, "docker-container", containerOptionNames);
      parse(options, value, name);
    }
  }
  return options;
}

type Parse = (o: DockerContainerOptions, value: string, name: string) => void;

const parsers: Readonly<Record<Exclude<keyof DockerContainerOpts, `env.${string}`>, Parse>> = {
  image: (o, value) => (o.image = value || defaultImage),
  network: (o, value) => (o.network = value),
  memory: (o, value, name) => (o.memory = bytes(name, value)),
  "memory-swap": (o, value, name) => (o.memorySwap = value === "-1" ? -1 : bytes(name, value)),
  "cpu-quota": (o, value, name) => (o.cpuQuota = integer(name, value)),
  "cpu-period": (o, value, name) => (o.cpuPeriod = integer(name, value)),
  "cpu-shares": (o, value, name) => (o.cpuShares = integer(name, value)),
  "cpuset-cpus": (o, value) => (o.cpusetCpus = value),
  "cpuset-mems": (o, value) => (o.cpusetMems = value),
  "cgroup-parent": (o, value) => (o.cgroupParent = value),
  "restart-policy": (o, value, name) => (o.restartPolicy = restartPolicy(name, value)),
  "default-load": (o, value, name) => (o.defaultLoad = bool(name, value)),
  "provenance-add-gha": (o, value, name) => (o.provenanceAddGha = bool(name, value)),
  "allow-untrusted-image": (o, value, name) => (o.allowUntrustedImage = bool(name, value)),
};

/** Names of the options, as `--driver-opt` takes them; `env.` goes on with a variable's name. */
export const containerOptionNames: readonly string[] = [...Object.keys(parsers), "env."];

function parseEnvironment(name: string, value: string): string {
  const variable = name.slice("env.".length);
  if (variable === "")
    throw new DriverError("DRIVER_OPTION", `invalid env option "${name}", expecting env.FOO=bar`);
  return `${variable}=${value}`;
}

function invalid(name: string, value: string, why: string, cause?: unknown): DriverError {
  return new DriverError("DRIVER_OPTION", `invalid value "${value}" of driver option ${name}: ${why}`, {
    cause,
  });
}

function bytes(name: string, value: string): number {
  try {
    return parseSize(value);
  } catch (error) {
    throw invalid(name, value, messageOf(error), error);
  }
}

function integer(name: string, value: string): number {
  const number = Number(value);
  if (!/^[+-]?\d+$/.test(value) || !Number.isSafeInteger(number))
    throw invalid(name, value, "not a whole number");
  return number;
}

function bool(name: string, value: string): boolean {
  const parsed = parseGoBool(value);
  if (parsed === undefined) throw invalid(name, value, "not a boolean");
  return parsed;
}

function restartPolicy(option: string, value: string): RestartPolicy {
  if (value === "") return { name: "", maximumRetryCount: 0 };
  const colon = value.indexOf(":");
  const name = colon < 0 ? value : value.slice(0, colon);
  if (name === "") throw invalid(option, value, "no policy provided before colon");
  const retries = colon < 0 ? 0 : integer(option, value.slice(colon + 1));
  return { name, maximumRetryCount: retries };
}
