import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Builder, parseDriverOptFlags } from "../builder/index.js";
import type { Environment } from "../config/index.js";
import { InvalidArgumentError, isSlipwayError } from "../core/index.js";
import { type AppendedNode, appendedNodes } from "./appended-nodes.js";
import type { Inputs } from "./inputs.js";

/** Inputs of docker/setup-buildx-action that say what builder there is to be. */
const describing = [
  "name",
  "driver",
  "driver-opts",
  "buildkitd-flags",
  "buildkitd-config",
  "buildkitd-config-inline",
  "endpoint",
  "append",
];

/** The builder of a step. */
export interface StepBuilder {
  builder: Builder;
  /** Made by this step, so that its end removes it. */
  isNew: boolean;
}

/**
 * The builder that the inputs name or describe. With neither it is the current one, where an earlier step or the runner has made
 * one; else a new one, by the names and rules of docker/setup-buildx-action.
 *
 * @throws StoreError, DriverError, InvalidArgumentError
 */
export async function stepBuilder(
  inputs: Inputs,
  env: Environment,
  signal: AbortSignal,
): Promise<StepBuilder> {
  const context = { env, signal };
  const further = await appendedNodes(inputs.text("append"));
  const given = inputs.text("builder");
  if (given !== "") return { builder: await Builder.open({ ...context, name: given }), isNew: false };
  const name = inputs.text("name");
  if (name !== "") {
    const known = await existing(name, env, signal);
    if (known) return { builder: known, isNew: false };
  } else if (describing.every((one) => inputs.text(one) === "")) {
    const current = await Builder.open(context);
    if (current.driver !== "docker") return { builder: current, isNew: false };
  }
  const made = await Builder.create({
    ...context,
    name: name || `builder-${randomUUID()}`,
    driver: inputs.text("driver") || "docker-container",
    driverOpts: parseDriverOptFlags(inputs.lines("driver-opts")),
    use: inputs.flag("use") ?? true,
    buildkitdFlags: inputs.text("buildkitd-flags") || undefined,
    buildkitdConfig: await configFile(inputs, env),
    endpoint: inputs.text("endpoint") || undefined,
  });
  return { builder: await withNodes(made, further, context), isNew: true };
}

/** A builder with more nodes; one that cannot be had leaves nothing behind. */
async function withNodes(
  made: Builder,
  further: readonly AppendedNode[],
  context: { env: Environment; signal: AbortSignal },
): Promise<Builder> {
  let builder = made;
  try {
    for (const node of further)
      builder = await Builder.create({ ...context, ...node, name: made.name, append: true });
  } catch (error) {
    // What went wrong first is what is told.
    await builder.remove().catch(() => {});
    throw error;
  }
  return builder;
}

async function existing(name: string, env: Environment, signal: AbortSignal): Promise<Builder | undefined> {
  try {
    return await Builder.open({ env, signal, name });
  } catch (error) {
    if (isSlipwayError(error, "STORE_NO_BUILDER")) return undefined;
    throw error;
  }
}

async function configFile(inputs: Inputs, env: Environment): Promise<string | undefined> {
  const inline = inputs.text("buildkitd-config-inline");
  if (inline === "") return inputs.text("buildkitd-config") || undefined;
  if (inputs.text("buildkitd-config") !== "")
    throw new InvalidArgumentError("give one of the inputs buildkitd-config and buildkitd-config-inline");
  const path = join(env["RUNNER_TEMP"] || tmpdir(), `buildkitd-${randomUUID()}.toml`);
  await writeFile(path, inline, { mode: 0o600, flag: "wx" });
  return path;
}
