import type { Command, Option } from "commander";
import { openBuilderContext } from "../../builder/index.js";
import { creatableDrivers, defaultDriver, findDriverKind } from "../../driver/index.js";
import { listDockerContexts } from "../../config/index.js";
import { cacheFilterNames } from "../../manage/index.js";
import type { CliContext } from "../cli-context.js";
import { type Candidate, type Completions, directives } from "./completions.js";

/** Words that flags take, by the flag's name. A word that ends in `=` wants more behind it. */
const words: Readonly<Record<string, readonly string[]>> = {
  "--allow": ["network.host", "security.insecure", "device", "buildx.local.delete"],
  "--attest": ["type=provenance", "type=sbom"],
  "--cache-from": ["type=registry,ref=", "type=local,src=", "type=gha"],
  "--cache-to": ["type=inline", "type=registry,ref=", "type=local,dest=", "type=gha"],
  "--compare": ["digest", "artifact"],
  "--materials": ["provenance", "oci-layout://"],
  "--replay-mode": ["materials", "frontend"],
  "--call": ["build", "check", "outline", "targets"],
  "--connect": ["auto", "exec", "socket"],
  "--context-race": ["error", "warn"],
  "--driver": creatableDrivers,
  "--invoke": ["default", "on-error", "args=", "entrypoint=", "env=", "user=", "cwd=", "tty="],
  "--on": ["always", "error"],
  "--format": ["table", "json"],
  "--jobs": ["fail-fast", "defer-output", "defer-error", "fail-fast,parallel="],
  "--list": ["targets", "variables", "type=targets,format=json", "type=variables,format=json"],
  "--network": ["default", "host", "none"],
  "--output": [
    "type=cacheonly",
    "type=docker",
    "type=image,name=",
    "type=local,dest=",
    "type=oci,dest=",
    "type=registry",
    "type=tar,dest=",
  ],
  "--platform": [
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/386",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
  ],
  "--progress": ["auto", "none", "plain", "quiet", "rawjson", "tty"],
  "--provenance": ["true", "false", "mode=min", "mode=max"],
  "--sbom": ["true", "false"],
  "--secret": ["id="],
  "--ssh": ["default"],
};

/** Words that a flag takes in one command only, or otherwise than elsewhere; none: it takes a file. */
const commandWords: Readonly<Record<string, readonly string[]>> = {
  "bake --allow": [
    "network.host",
    "security.insecure",
    "device",
    "ssh",
    "buildx.local.delete",
    "fs=",
    "fs.read=",
    "fs.write=",
  ],
  "history trace --compare": [],
  "replay build --format": ["pretty", "json"],
  "replay build --network": ["default", "none"],
  "replay snapshot --network": ["default", "none"],
  "replay snapshot --output": [],
  "replay verify --network": ["default", "none"],
  "replay verify --output": ["type=local,dest="],
  "du --filter": cacheFilters(),
  "prune --filter": cacheFilters(),
  "history export --output": [],
  "history ls --filter": [
    "completedAt",
    "duration",
    "ref=",
    "repository=",
    "startedAt",
    "status=canceled",
    "status=completed",
    "status=error",
    "status=running",
  ],
  "history report --output": [],
  "history trace --output": [],
};

/** Flags whose value is a file of some kind. */
const files = new Set([
  "--buildkitd-config",
  "--config",
  "--file",
  "--iidfile",
  "--metadata-file",
  "--network-log",
  "--policy-module",
  "--report",
  "--trust-ca",
  "--cache-mounts",
]);

/** Beginnings of what stands behind a filter's `=`. */
function cacheFilters(): string[] {
  const types = ["exec.cachemount", "frontend", "internal", "regular", "source.git.checkout", "source.local"];
  const open = new Set(["description", "id", "parent", "parents", "until", "unused-for"]);
  return cacheFilterNames.flatMap((name) => {
    if (name === "type") return types.map((type) => `type=${type}`);
    return open.has(name) ? `${name}=` : `${name}=true`;
  });
}

/** Commands whose operands are builders, with how many they take. */
const builderCommands: Readonly<Record<string, number>> = {
  inspect: 1,
  rm: Number.POSITIVE_INFINITY,
  stop: 1,
  use: 1,
};

/** What is known of the place of a flag's value. */
export interface FlagPlace {
  /** Names of the command, `history ls`. */
  command: string;
  /** The arguments before. */
  before: readonly string[];
  /** What there is of the value. */
  current: string;
}

/** What a flag may be given. */
export function flagValues({ long = "" }: Option, { command, before, current }: FlagPlace): Completions {
  const own = commandWords[`${command} ${long}`];
  const known = own ?? (long === "--driver-opt" ? driverOptions(before, current) : (words[long] ?? []));
  if (known.length === 0)
    return { candidates: [], directive: own || files.has(long) ? directives.files : directives.noFiles };
  const isOpen = known.some((word) => /[=.]$/.test(word));
  return {
    candidates: known.map((value) => ({ value })),
    // The shell is to put no space behind what goes on.
    directive: directives.noFiles | (isOpen ? directives.noSpace : 0),
  };
}

/** Names of the options of the driver that the command line names, behind those that stand in the same list already. */
function driverOptions(before: readonly string[], current: string): string[] {
  const at = before.lastIndexOf("--driver");
  const joined = before.findLast((word) => word.startsWith("--driver="))?.slice("--driver=".length);
  const driver = (at < 0 ? joined : before[at + 1]) ?? defaultDriver;
  const prefix = current.slice(0, current.lastIndexOf(",") + 1);
  const names = findDriverKind(driver)?.optionNames ?? [];
  return [...names].sort().map((name) => `${prefix}${name}${name.endsWith(".") ? "" : "="}`);
}

/** What may stand where a command takes operands. */
export async function operandValues(
  command: Command,
  { given, before }: { given: readonly string[]; before: readonly string[] },
  context: CliContext,
): Promise<Completions> {
  const nothing = { candidates: [], directive: directives.noFiles };
  const name = command.name();
  if (name === "bake") {
    const { bakeTargets } = await import("./bake-targets.js");
    return { ...nothing, candidates: await bakeTargets(before, given, context) };
  }
  if (name === "build")
    return given.length === 0 ? { candidates: [], directive: directives.directories } : nothing;
  if (command.parent || given.length >= (builderCommands[name] ?? 0)) return nothing;
  const names = await builderNames(context);
  return {
    candidates: names.filter(({ value }) => !given.includes(value)),
    directive: directives.noFiles,
  };
}

/** The builders of the store and those that docker contexts are. None when the store cannot be read. */
export async function builderNames({ env }: CliContext): Promise<Candidate[]> {
  try {
    const { store, config } = await openBuilderContext({ env });
    const [stored, contexts] = await Promise.all([store.list(), listDockerContexts(env, config)]);
    const names = [...stored.map(({ name }) => name), ...contexts.map(({ contextName }) => contextName)];
    return [...new Set(names)].sort().map((value) => ({ value }));
  } catch {
    return []; // a shell has no place for the reason
  }
}
