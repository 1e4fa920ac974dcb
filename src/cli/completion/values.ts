import type { Command, Option } from "commander";
import { creatableDrivers, openBuilderContext } from "../../builder/index.js";
import { listDockerContexts } from "../../config/index.js";
import type { CliContext } from "../cli-context.js";
import { type Candidate, type Completions, directives } from "./completions.js";

/** Words that flags take, by the flag's name. A word that ends in `=` wants more behind it. */
const words: Readonly<Record<string, readonly string[]>> = {
  "--allow": ["network.host", "security.insecure", "device", "buildx.local.delete"],
  "--attest": ["type=provenance", "type=sbom"],
  "--cache-from": ["type=registry,ref=", "type=local,src=", "type=gha"],
  "--cache-to": ["type=inline", "type=registry,ref=", "type=local,dest=", "type=gha"],
  "--call": ["build", "check", "outline", "targets"],
  "--connect": ["auto", "exec", "socket"],
  "--context-race": ["error", "warn"],
  "--driver": creatableDrivers,
  "--format": ["table", "json"],
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

/** Flags whose value is a file of some kind. */
const files = new Set(["--buildkitd-config", "--file", "--iidfile", "--metadata-file"]);

/** Commands whose operands are builders, with how many they take. */
const builderCommands: Readonly<Record<string, number>> = {
  inspect: 1,
  rm: Number.POSITIVE_INFINITY,
  stop: 1,
  use: 1,
};

/** What a flag may be given. */
export function flagValues({ long = "" }: Option): Completions {
  const known = words[long] ?? [];
  if (known.length === 0)
    return { candidates: [], directive: files.has(long) ? directives.files : directives.noFiles };
  const isOpen = known.some((word) => word.endsWith("="));
  return {
    candidates: known.map((value) => ({ value })),
    // The shell is to put no space behind what goes on.
    directive: directives.noFiles | (isOpen ? directives.noSpace : 0),
  };
}

/** What may stand where a command takes operands. */
export async function operandValues(
  command: Command,
  given: readonly string[],
  context: CliContext,
): Promise<Completions> {
  const nothing = { candidates: [], directive: directives.noFiles };
  const name = command.name();
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
