import type { Command } from "commander";
import { parseSecret } from "../../../build/index.js";
import type { Environment } from "../../../config/index.js";
import { InvalidArgumentError } from "../../../core/index.js";
import type { ReplayCallOptions } from "../../../manage/index.js";
import { type ProgressSink, display } from "../../../progress/index.js";
import { Builder } from "../../../builder/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { collect, namedContexts } from "../../flags.js";
import { warn } from "../../warn.js";

/** Flags of all commands of `slipway replay`. */
export interface ReplayFlags extends GlobalFlags {
  context?: string[];
  materials?: string[];
  network?: string;
  platform?: string[];
  progress: string;
  secret?: string[];
  ssh?: string[];
}

/** The flags that all have, in buildx's words where it has them (buildx v0.38 commands/replay/root.go). */
export const replayFlags = {
  context: [
    "--context <stringArray>",
    'Directory of a recorded local context, which must be as it was (format: "name=path")',
    collect,
  ],
  materials: [
    "--materials <stringArray>",
    'Materials store (repeatable; format: "provenance" | "oci-layout://<path>[:<tag>]" | "<absolute-path>" | "<key>=<value>")',
    collect,
  ],
  network: [
    "--network <string>",
    'Network mode for RUN instructions ("default" | "none"; defaults to the mode of the original build)',
  ],
  platform: [
    "--platform <stringArray>",
    "Platform of the subject to replay (defaults to the only platform of the subject or the builder default platform)",
    collect,
  ],
  progress: [
    "--progress <string>",
    'Set type of progress output ("auto" | "plain" | "tty" | "quiet" | "rawjson")',
  ],
  secret: [
    "--secret <stringArray>",
    'Secret to expose to the replayed build (format: "id=mysecret[,src=/local/secret]")',
    collect,
  ],
  ssh: [
    "--ssh <stringArray>",
    'SSH agent socket or keys to expose (format: "default|<id>[=<socket>|<key>[,<key>]]")',
    collect,
  ],
} as const satisfies Record<string, readonly unknown[]>;

/** Adds one of {@link replayFlags}, in the place where the help lists it. */
export function addFlag(command: Command, name: keyof typeof replayFlags): Command {
  const [flags, description, parse] = replayFlags[name] as readonly [
    string,
    string,
    ((value: string, previous: unknown) => string[])?,
  ];
  if (name === "progress") return command.option(flags, description, "auto");
  return parse ? command.option(flags, description, parse) : command.option(flags, description);
}

/** What all commands pass on, and the display that is to be closed. */
export async function replayCall(
  flags: ReplayFlags,
  context: CliContext,
): Promise<{ options: ReplayCallOptions; progress: ProgressSink }> {
  const { env, signal, stderr } = context;
  const { network } = flags;
  if (network !== undefined && !["", "default", "none"].includes(network))
    throw new InvalidArgumentError(`unsupported --network ${JSON.stringify(network)} (want default or none)`);
  const onWarning = (text: string) => warn(context, text);
  const builder = await Builder.open({ name: flags.builder, env, signal, onWarning });
  const progress = display(flags.progress, stderr.stream, env, { debug: flags.debug ?? false });
  const options: ReplayCallOptions = {
    builder,
    env,
    signal,
    onWarning,
    onEvent: progress,
    secrets: secretsOf(flags.secret, env),
    ssh: (flags.ssh ?? []).filter((text) => text !== ""),
    contexts: namedContexts(flags.context ?? []),
    materials: flags.materials ?? [],
    ...(network && { network: network as "default" | "none" }),
    ...(flags.platform && { platform: flags.platform.join(",") }),
  };
  return { options, progress };
}

function secretsOf(
  texts: readonly string[] = [],
  env: Environment,
): NonNullable<ReplayCallOptions["secrets"]> {
  const secrets = texts.filter((text) => text !== "").map((text) => parseSecret(text, env));
  return Object.fromEntries(secrets.map(({ id, source }) => [id, source]));
}
