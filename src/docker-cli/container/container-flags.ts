import type { Command } from "commander";
import { collect } from "../../cli/index.js";
import { parseSize } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { readMount } from "./read-mount.js";
import { readDecimal, readNumber, readSwitch } from "../numbers.js";

/** Flags of `run` and `create`, as they are read. */
export interface ContainerFlags {
  addHost?: string[];
  attach?: string[];
  capAdd?: string[];
  capDrop?: string[];
  cgroupParent?: string;
  cidfile?: string;
  cpuPeriod?: number;
  cpuQuota?: number;
  cpuShares?: number;
  cpus?: number;
  cpusetCpus?: string;
  cpusetMems?: string;
  device?: string[];
  dns?: string[];
  dnsOption?: string[];
  dnsSearch?: string[];
  domainname?: string;
  entrypoint?: string;
  env?: string[];
  envFile?: string[];
  expose?: string[];
  gpus?: string;
  groupAdd?: string[];
  hostname?: string;
  init?: boolean;
  interactive?: boolean;
  ipc?: string;
  label?: string[];
  labelFile?: string[];
  link?: string[];
  logDriver?: string;
  logOpt?: string[];
  memory?: number;
  memoryReservation?: number;
  memorySwap?: number;
  mount?: string[];
  name?: string;
  network?: string[];
  networkAlias?: string[];
  /** `--no-healthcheck`. */
  healthcheck: boolean;
  pid?: string;
  pidsLimit?: number;
  platform?: string;
  privileged?: boolean;
  publish?: string[];
  publishAll?: boolean;
  pull: string;
  quiet?: boolean;
  readOnly?: boolean;
  restart?: string;
  rm?: boolean;
  runtime?: string;
  securityOpt?: string[];
  shmSize?: number;
  stopSignal?: string;
  stopTimeout?: number;
  sysctl?: string[];
  tmpfs?: string[];
  tty?: boolean;
  ulimit?: string[];
  user?: string;
  userns?: string;
  uts?: string;
  volume?: string[];
  volumesFrom?: string[];
  workdir?: string;
}

type Parser = (value: string, previous: unknown) => unknown;

/** Bytes, or -1 for as much as there is. */
const orUnlimited: Parser = (value) => (value === "-1" ? -1 : parseSize(value));

/** Names of streams, in small letters. */
const collectStream: Parser = (value, previous) => {
  const name = value.toLowerCase();
  if (!["stdin", "stdout", "stderr"].includes(name))
    throw new InvalidArgumentError("valid streams are STDIN, STDOUT and STDERR");
  return collect(name, previous);
};

/** Mounts, each checked as soon as it is read. */
const collectMount: Parser = (value, previous) => {
  readMount(value);
  return collect(value, previous);
};

/** Flags, what they are for, and how their values are read; docker's other flags are refused by name. */
const flagTable: readonly (readonly [flag: string, description: string, parse?: Parser])[] = [
  ["--add-host <list>", "Add a custom host-to-IP mapping (host:ip)", collect],
  ["-a, --attach <list>", "Attach to STDIN, STDOUT or STDERR", collectStream],
  ["--cap-add <list>", "Add Linux capabilities", collect],
  ["--cap-drop <list>", "Drop Linux capabilities", collect],
  ["--cgroup-parent <string>", "Optional parent cgroup for the container"],
  ["--cidfile <string>", "Write the container ID to the file"],
  ["--cpu-period <int>", "Limit CPU CFS (Completely Fair Scheduler) period", readNumber],
  ["--cpu-quota <int>", "Limit CPU CFS (Completely Fair Scheduler) quota", readNumber],
  ["-c, --cpu-shares <int>", "CPU shares (relative weight)", readNumber],
  ["--cpus <decimal>", "Number of CPUs", readDecimal],
  ["--cpuset-cpus <string>", "CPUs in which to allow execution (0-3, 0,1)"],
  ["--cpuset-mems <string>", "MEMs in which to allow execution (0-3, 0,1)"],
  ["--device <list>", "Add a host device to the container", collect],
  ["--dns <list>", "Set custom DNS servers", collect],
  ["--dns-option <list>", "Set DNS options", collect],
  ["--dns-search <list>", "Set custom DNS search domains", collect],
  ["--domainname <string>", "Container NIS domain name"],
  ["--entrypoint <string>", "Overwrite the default ENTRYPOINT of the image"],
  ["-e, --env <list>", "Set environment variables", collect],
  ["--env-file <list>", "Read in a file of environment variables", collect],
  ["--expose <list>", "Expose a port or a range of ports", collect],
  ["--gpus <gpu-request>", "GPU devices to add to the container ('all' to pass all GPUs)"],
  ["--group-add <list>", "Add additional groups to join", collect],
  ["-h, --hostname <string>", "Container host name"],
  ["--init", "Run an init inside the container that forwards signals and reaps processes"],
  ["-i, --interactive", "Keep STDIN open even if not attached"],
  ["--ipc <string>", "IPC mode to use"],
  ["-l, --label <list>", "Set meta data on a container", collect],
  ["--label-file <list>", "Read in a line delimited file of labels", collect],
  ["--link <list>", "Add link to another container", collect],
  ["--log-driver <string>", "Logging driver for the container"],
  ["--log-opt <list>", "Log driver options", collect],
  ["-m, --memory <bytes>", "Memory limit", parseSize],
  ["--memory-reservation <bytes>", "Memory soft limit", parseSize],
  [
    "--memory-swap <bytes>",
    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
    orUnlimited,
  ],
  ["--mount <mount>", "Attach a filesystem mount to the container", collectMount],
  ["--name <string>", "Assign a name to the container"],
  ["--network <network>", "Connect a container to a network", collect],
  ["--network-alias <list>", "Add network-scoped alias for the container", collect],
  ["--no-healthcheck", "Disable any container-specified HEALTHCHECK"],
  ["--pid <string>", "PID namespace to use"],
  ["--pids-limit <int>", "Tune container pids limit (set -1 for unlimited)", readNumber],
  ["--privileged", "Give extended privileges to this container"],
  ["-p, --publish <list>", "Publish a container's port(s) to the host", collect],
  ["-P, --publish-all", "Publish all exposed ports to random ports"],
  ["-q, --quiet", "Suppress the pull output"],
  ["--read-only", "Mount the container's root filesystem as read only"],
  ["--restart <string>", 'Restart policy to apply when a container exits (default "no")'],
  ["--rm", "Automatically remove the container and its anonymous volumes when it exits"],
  ["--runtime <string>", "Runtime to use for this container"],
  ["--security-opt <list>", "Security Options", collect],
  ["--shm-size <bytes>", "Size of /dev/shm", parseSize],
  ["--stop-signal <string>", "Signal to stop the container"],
  ["--stop-timeout <int>", "Timeout (in seconds) to stop a container", readNumber],
  ["--sysctl <map>", "Sysctl options", collect],
  ["--tmpfs <list>", "Mount a tmpfs directory", collect],
  ["-t, --tty", "Allocate a pseudo-TTY"],
  ["--ulimit <ulimit>", "Ulimit options", collect],
  ["-u, --user <string>", "Username or UID (format: <name|uid>[:<group|gid>])"],
  ["--userns <string>", "User namespace to use"],
  ["--uts <string>", "UTS namespace to use"],
  ["-v, --volume <list>", "Bind mount a volume", collect],
  ["--volumes-from <list>", "Mount volumes from the specified container(s)", collect],
  ["-w, --workdir <string>", "Working directory inside the container"],
];

/** Adds the flags that `run` and `create` share. */
export function addContainerFlags(
  command: Command,
  env: Readonly<Record<string, string | undefined>>,
): Command {
  for (const [flag, description, parse] of flagTable)
    if (parse) command.option(flag, description, parse);
    else command.option(flag, description);
  return command
    .option(
      "--platform <string>",
      "Set platform if server is multi-platform capable",
      env["DOCKER_DEFAULT_PLATFORM"],
    )
    .option("--pull <string>", 'Pull image before running ("always", "missing", "never")', "missing")
    .option("--disable-content-trust [bool]", "Skip image verification (default true)", readSwitch);
}
