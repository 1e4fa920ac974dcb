import { type Command, Option } from "commander";
import { parseUlimit } from "../build/index.js";
import type { Environment } from "../config/index.js";
import type { GlobalFlags } from "./cli-context.js";
import { bytes, collect, collectList, switchOrList } from "./flags.js";

/** Flags of `slipway build`, as they are read. */
export interface BuildFlags extends GlobalFlags {
  addHost?: string[];
  allow?: string[];
  allowHosts?: string[];
  annotation?: string[];
  attest?: string[];
  buildArg?: string[];
  buildContext?: string[];
  cacheFrom?: string[];
  cacheMounts?: string;
  cacheTo?: string[];
  call: string;
  cgroupParent?: string;
  check?: boolean;
  contextRace?: "error" | "warn";
  engineImages?: boolean | string[];
  explain?: boolean;
  exportFailed?: string[];
  file?: string;
  iidfile?: string;
  invoke?: string;
  isolation?: string;
  securityOpt?: string[];
  squash?: boolean;
  /** Values of the old flags of single resources, such as `-m`. */
  memory?: string;
  memorySwap?: string;
  cpuShares?: string;
  cpuPeriod?: string;
  cpuQuota?: string;
  cpusetCpus?: string;
  cpusetMems?: string;
  label?: string[];
  load?: boolean;
  metadataFile?: string;
  network: string;
  networkLog?: string;
  on?: "always" | "error";
  cache: boolean;
  /** `--no-cache-filter`; commander drops the `no` of the name and starts at true. */
  cacheFilter: string[] | true;
  output?: string[];
  platform?: string[];
  policy?: string[];
  policyModule?: string[];
  progress: string;
  provenance?: string;
  pull?: boolean;
  push?: boolean;
  quiet?: boolean;
  recordInputs?: boolean;
  report?: string;
  reproducible?: boolean;
  resource?: string[];
  sbom?: string;
  secret?: string[];
  shmSize?: number;
  ssh?: string[];
  tag?: string[];
  target?: string;
  trustCa?: string;
  ulimit?: string[];
}

type Parser = (value: string, previous: unknown) => unknown;

/** What opens a shell in a build. */
export const invokeOptions = [
  ["--invoke <string>", "Run a command in the result, or in the step that failed"],
  ["--on <string>", 'When to run it ("always", "error")'],
] as const;

/** Flags, what they are for, and how their values are read, as buildx lists them; slipway's own stand among them. */
const flagTable: readonly (readonly [flag: string, description: string, parse?: Parser])[] = [
  ["--add-host <strings>", 'Add a custom host-to-IP mapping (format: "host:ip")', collectList],
  [
    "--allow <stringArray>",
    'Allow extra privileged entitlement (e.g., "network.host", "security.insecure", "device", "buildx.local.delete")',
    collect,
  ],
  [
    "--allow-hosts <list>",
    "Hosts that RUN steps and ADD may ask by http and https, and no others",
    collectList,
  ],
  ["--annotation <stringArray>", "Add annotation to the image", collect],
  ["--attest <stringArray>", 'Attestation parameters (format: "type=sbom,generator=image")', collect],
  ["--build-arg <stringArray>", "Set build-time variables", collect],
  ["--build-context <stringArray>", "Additional build contexts (e.g., name=path)", collect],
  [
    "--cache-from <stringArray>",
    'External cache sources (e.g., "user/app:cache", "type=local,src=path/to/dir")',
    collect,
  ],
  [
    "--cache-mounts <dir>",
    'Carry the content of cache mounts from one builder to the next (e.g., "path/to/dir", "dir=path/to/dir,image=busybox")',
  ],
  [
    "--cache-to <stringArray>",
    'Cache export destinations (e.g., "user/app:cache", "type=local,dest=path/to/dir")',
    collect,
  ],
  ["--call <string>", 'Set method for evaluating build ("check", "outline", "targets")'],
  ["--cgroup-parent <string>", 'Set the parent cgroup for the "RUN" instructions during build'],
  ["--check", 'Shorthand for "--call=check"'],
  [
    "--context-race <string>",
    'What to do about files that are written to while they are sent ("error", "warn")',
  ],
  [
    "--engine-images [list]",
    "Take base images that the engine has from there: those that the Dockerfile names, or these",
    switchOrList,
  ],
  ["--explain", "Tell why steps ran that an earlier build had"],
  ["--export-failed <stringArray>", 'Take a path out of the step that failed (format: "path=dest")', collect],
  ["-f, --file <string>", 'Name of the Dockerfile (default: "PATH/Dockerfile")'],
  ["--iidfile <string>", "Write the image ID to a file"],
  invokeOptions[0],
  ["--label <stringArray>", "Set metadata for an image", collect],
  ["--load", 'Shorthand for "--output=type=docker"'],
  ["--metadata-file <string>", "Write build result metadata to a file"],
  ["--network <string>", 'Set the networking mode for the "RUN" instructions during build'],
  ["--network-log <file>", "Write what the build asked of the network to a file (JSON)"],
  ["--no-cache", "Do not use cache when building the image"],
  ["--no-cache-filter <stringArray>", "Do not cache specified stages", collect],
  invokeOptions[1],
  ["-o, --output <stringArray>", 'Output destination (format: "type=local,dest=path")', collect],
  ["--platform <stringArray>", "Set target platform for build", collect],
  ["--policy <stringArray>", "Policy configuration (only disabled=true; rego is not supported)", collect],
  ["--policy-module <file>", "Module whose functions decide on each source of the build", collect],
  [
    "--progress <string>",
    'Set type of progress output ("auto", "none",  "plain", "quiet", "rawjson", "tty"). Use plain to show container output',
  ],
  ["--provenance <string>", 'Shorthand for "--attest=type=provenance"'],
  ["--pull", "Always attempt to pull all referenced images"],
  ["--push", 'Shorthand for "--output=type=registry,unpack=false"'],
  ["-q, --quiet", "Suppress the build output and print image ID on success"],
  ["--record-inputs", "Record digests of the local contexts in the provenance, for slipway replay"],
  ["--report <path>", "Write a page that shows where the build's time went"],
  ["--reproducible", "Make the same image of the same, and warn of what is another thing another day"],
  [
    "--resource <stringArray>",
    'Resource limits for build containers (format: "memory=2g", "cpu-quota=50000")',
    collect,
  ],
  ["--sbom <string>", 'Shorthand for "--attest=type=sbom"'],
  [
    "--secret <stringArray>",
    'Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")',
    collect,
  ],
  ["--shm-size <bytes>", "Shared memory size for build containers", bytes],
  [
    "--ssh <stringArray>",
    'SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>|<key>[,<key>]]")',
    collect,
  ],
  ["-t, --tag <stringArray>", 'Image identifier (format: "[registry/]repository[:tag]")', collect],
  ["--target <string>", "Set the target build stage to build"],
  ["--trust-ca <file>", "Authorities that RUN steps trust besides the public ones (PEM)"],
  ["--ulimit <ulimit>", "Ulimit options", ulimit],
];

/** Old flags, which help does not tell of. */
const hiddenFlags: readonly (readonly [flag: string, parse?: Parser])[] = [
  ["-m, --memory <value>"],
  ["--memory-swap <value>"],
  ["-c, --cpu-shares <value>"],
  ["--cpu-period <value>"],
  ["--cpu-quota <value>"],
  ["--cpuset-cpus <value>"],
  ["--cpuset-mems <value>"],
  ["--compress"],
  ["--rm"],
  ["--force-rm"],
  ["--squash"],
  ["--isolation <string>"],
  ["--security-opt <strings>", collectList],
];

/** Adds the flags of a build to a command. */
export function addBuildFlags(command: Command, env: Environment): void {
  const platforms = env["DOCKER_DEFAULT_PLATFORM"];
  const defaults: Readonly<Record<string, unknown>> = {
    call: "build",
    network: "default",
    platform: platforms ? [platforms] : undefined,
    progress: "auto",
  };
  for (const [flag, description, parse] of flagTable) {
    const option = optionOf(flag, description, parse);
    const initial = defaults[option.attributeName()];
    if (initial !== undefined) option.default(initial);
    if (option.attributeName() === "contextRace") option.choices(["error", "warn"]);
    if (option.attributeName() === "on") option.choices(["always", "error"]);
    command.addOption(option);
  }
  for (const [flag, parse] of hiddenFlags) command.addOption(optionOf(flag, "", parse).hideHelp());
  // The old name of --call; the last of the two counts (buildx commands/build.go).
  command.addOption(
    new Option("--print <string>").hideHelp().argParser((text) => command.setOptionValue("call", text)),
  );
}

function optionOf(flag: string, description: string, parse?: Parser): Option {
  const option = new Option(flag, description);
  return parse ? option.argParser(parse) : option;
}

function ulimit(value: string, previous: unknown): string[] {
  parseUlimit(value);
  return collect(value, previous);
}
