import { resolve } from "node:path";
import { parseCsvFields } from "../../config/index.js";
import { InvalidArgumentError, withoutUndefined } from "../../core/index.js";
import type { ContainerCreateBody, DeviceRequest, HostConfig } from "../../engine-api/index.js";
import { readBounded } from "../../fs/index.js";
import type { DockerContext } from "../docker-context.js";
import type { ContainerFlags } from "./container-flags.js";
import { keyed, readLabels, readVariables } from "./key-values.js";
import { readMount } from "./read-mount.js";
import { readPorts } from "./read-ports.js";

/** Which of a container's streams this command is attached to. */
export interface Attached {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/** The container that a command line asks for. */
export interface WantedContainer {
  image: string;
  /** The command that runs in it; empty for the image's. */
  args: readonly string[];
  flags: ContainerFlags;
  attached: Attached;
}

/** Longest seccomp profile, in bytes. */
const longestProfile = 1024 * 1024;

/** What a container is made of by the flags of `run` and `create` (docker/cli cli/command/container opts.go). @throws InvalidArgumentError */
export async function createBody(
  { image, args, flags, attached }: WantedContainer,
  { env, signal }: DockerContext,
): Promise<ContainerCreateBody> {
  const ports = readPorts(flags.publish ?? [], flags.expose ?? []);
  const [binds, anonymous] = volumesOf(flags.volume ?? []);
  const body: ContainerCreateBody = {
    Image: image,
    Env: await readVariables(flags.env ?? [], flags.envFile ?? [], env, signal),
    Labels: await readLabels(flags.label ?? [], flags.labelFile ?? [], signal),
    Cmd: args.length > 0 ? [...args] : null,
    AttachStdin: attached.stdin,
    AttachStdout: attached.stdout,
    AttachStderr: attached.stderr,
    OpenStdin: flags.interactive ?? false,
    StdinOnce: (flags.interactive ?? false) && attached.stdin,
    Tty: flags.tty ?? false,
    ExposedPorts: ports.exposed,
    Volumes: Object.fromEntries(anonymous.map((target) => [target, {}])),
    HostConfig: { ...hostConfigOf(flags), Binds: binds, PortBindings: ports.bindings },
    ...withoutUndefined({
      // An empty one takes the image's away.
      Entrypoint: flags.entrypoint === undefined ? undefined : [flags.entrypoint],
      Hostname: flags.hostname,
      Domainname: flags.domainname,
      User: flags.user,
      WorkingDir: flags.workdir,
      StopSignal: flags.stopSignal,
      StopTimeout: flags.stopTimeout,
      Healthcheck: flags.healthcheck ? undefined : { Test: ["NONE"] },
      NetworkingConfig: networkingOf(flags),
    }),
  };
  const security = await Promise.all((flags.securityOpt ?? []).map((option) => securityOf(option, signal)));
  return security.length > 0 ? { ...body, HostConfig: { ...body.HostConfig, SecurityOpt: security } } : body;
}

function hostConfigOf(flags: ContainerFlags): HostConfig {
  const { memory, memorySwap, memoryReservation, ulimit, tmpfs, sysctl, logDriver, logOpt } = flags;
  return withoutUndefined({
    AutoRemove: flags.rm,
    Privileged: flags.privileged,
    Init: flags.init,
    ReadonlyRootfs: flags.readOnly,
    PublishAllPorts: flags.publishAll,
    CapAdd: flags.capAdd,
    CapDrop: flags.capDrop,
    CgroupParent: flags.cgroupParent,
    CpuPeriod: flags.cpuPeriod,
    CpuQuota: flags.cpuQuota,
    CpuShares: flags.cpuShares,
    NanoCpus: flags.cpus === undefined ? undefined : Math.round(flags.cpus * 1e9),
    CpusetCpus: flags.cpusetCpus,
    CpusetMems: flags.cpusetMems,
    Devices: flags.device?.map(deviceOf),
    DeviceRequests: flags.gpus === undefined ? undefined : [gpusOf(flags.gpus)],
    Dns: flags.dns,
    DnsOptions: flags.dnsOption,
    DnsSearch: flags.dnsSearch,
    ExtraHosts: flags.addHost?.map((text) => text.replace(/^([^:=]+)=/, "$1:")),
    GroupAdd: flags.groupAdd,
    IpcMode: flags.ipc,
    PidMode: flags.pid,
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    Runtime: flags.runtime,
    Links: flags.link,
    LogConfig:
      logDriver === undefined && !logOpt ? undefined : { Type: logDriver ?? "", Config: keyed(logOpt ?? []) },
    Memory: memory,
    MemorySwap: memorySwap,
    MemoryReservation: memoryReservation,
    PidsLimit: flags.pidsLimit,
    ShmSize: flags.shmSize,
    Mounts: flags.mount?.map(readMount),
    NetworkMode: flags.network?.[0],
    RestartPolicy: flags.restart === undefined ? undefined : restartOf(flags.restart),
    Sysctls: sysctl && keyed(sysctl),
    Tmpfs: tmpfs && Object.fromEntries(tmpfs.map(splitAtColon)),
    Ulimits: ulimit?.map(ulimitOf),
    VolumesFrom: flags.volumesFrom,
  });
}

/** Volumes with a source, and those that have only a place (docker/cli loader.ParseVolume). Relative paths are this directory's. */
function volumesOf(texts: readonly string[]): [binds: string[], anonymous: string[]] {
  const binds: string[] = [];
  const anonymous: string[] = [];
  for (const text of texts) {
    if (!text.includes(":")) anonymous.push(text);
    else if (/^\.{1,2}(?:[/:]|$)/.test(text)) {
      const at = text.indexOf(":");
      binds.push(resolve(text.slice(0, at)) + text.slice(at));
    } else binds.push(text);
  }
  return [binds, anonymous];
}

function networkingOf({
  network = [],
  networkAlias,
}: ContainerFlags): ContainerCreateBody["NetworkingConfig"] {
  if (network.length > 1)
    throw new InvalidArgumentError(
      `slipway-docker connects a container to one network only, not to ${network.length}`,
    );
  const [name] = network;
  if (name === undefined || !networkAlias) return undefined;
  return { EndpointsConfig: { [name]: { Aliases: networkAlias } } };
}

/** A profile of seccomp is a file here; the engine wants what is in it. */
async function securityOf(option: string, signal: AbortSignal): Promise<string> {
  const [, profile] = /^seccomp[=:](.+)$/s.exec(option) ?? [];
  if (profile === undefined || profile === "unconfined" || profile === "builtin") return option;
  const text = (await readBounded(profile, { limit: longestProfile, signal, special: "read" })).toString(
    "utf8",
  );
  try {
    return `seccomp=${JSON.stringify(JSON.parse(text))}`;
  } catch (cause) {
    throw new InvalidArgumentError(`the seccomp profile ${profile} is not JSON`, { cause });
  }
}

function deviceOf(text: string): NonNullable<HostConfig["Devices"]>[number] {
  const [source = "", second, third] = text.split(":");
  const isMode = second !== undefined && /^[rwm]{1,3}$/.test(second);
  const target = second === undefined || isMode ? source : second;
  return {
    PathOnHost: source,
    PathInContainer: target,
    CgroupPermissions: (isMode ? second : third) ?? "rwm",
  };
}

/** `all`, a number, or `device=…,driver=…,capabilities=…` (docker/cli opts GpuOpts). */
function gpusOf(text: string): DeviceRequest {
  const request: DeviceRequest = { Capabilities: [["gpu"]] };
  for (const field of parseCsvFields(text)) {
    const [key, value] = splitAt(field, "=");
    if (value === "") request.Count = countOf(key);
    else if (key === "count") request.Count = countOf(value);
    else if (key === "device") request.DeviceIDs = value.split(",");
    else if (key === "driver") request.Driver = value;
    else if (key === "capabilities") request.Capabilities = [["gpu", ...value.split(",")]];
    else throw new InvalidArgumentError(`unexpected key ${JSON.stringify(key)} in ${JSON.stringify(text)}`);
  }
  if (!request.DeviceIDs) request.Count ??= 1;
  return request;
}

function countOf(text: string): number {
  if (text === "all") return -1;
  if (!/^\d{1,6}$/.test(text))
    throw new InvalidArgumentError(`invalid count (${text}): value must be either "all" or an integer`);
  return Number(text);
}

function restartOf(text: string): NonNullable<HostConfig["RestartPolicy"]> {
  const [Name, count] = splitAtColon(text);
  if (count !== "" && !/^\d{1,9}$/.test(count))
    throw new InvalidArgumentError(`invalid restart policy format: maximum retry count must be an integer`);
  return { Name, MaximumRetryCount: Number(count) };
}

function ulimitOf(text: string): NonNullable<HostConfig["Ulimits"]>[number] {
  const [, Name = "", soft = "", hard = soft] = /^([a-z]+)=(-?\d{1,18})(?::(-?\d{1,18}))?$/.exec(text) ?? [];
  if (Name === "") throw new InvalidArgumentError(`invalid ulimit argument: ${text}`);
  return { Name, Soft: Number(soft), Hard: Number(hard) };
}

function splitAtColon(text: string): [string, string] {
  return splitAt(text, ":");
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
