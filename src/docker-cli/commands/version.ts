import { Command } from "commander";
import { Template } from "../../cli/index.js";
import { currentContextName, loadDockerConfig } from "../../config/index.js";
import { messageOf } from "../../core/index.js";
import type { EngineVersion } from "../../engine-api/index.js";
import { CommandFailure } from "../command-failure.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { fields, flag, list, struct, text, typedData } from "../typed-data.js";
import { build, maximumApiVersion, offeredDocker } from "../versions.js";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** What templates see. Go's names of two fields are others than those of the JSON. */
const serverShape = struct({
  Platform: struct({ Name: text }),
  Components: list,
  ...fields(text, "Version", "APIVersion", "MinAPIVersion", "GitCommit", "GoVersion", "Os", "Arch"),
  ...fields(text, "KernelVersion", "BuildTime"),
  Experimental: flag,
});

/** `docker version`: of this command, in docker's words, and of the engine. */
export function version(context: DockerContext): Command {
  return new Command("version")
    .description("Show the Docker version information")
    .usage("[OPTIONS]")
    .option("-f, --format <string>", "Format output using a custom template: json, or a Go template")
    .action(({ format }: { format?: string }) => run(format, context));
}

async function run(format: string | undefined, context: DockerContext): Promise<void> {
  const { env, signal, stdout } = context;
  const template = format && format !== "json" ? Template.parse(format) : undefined;
  const asked = await ask(context);
  const { server, api } = asked;
  const client = {
    Version: offeredDocker,
    ApiVersion: api ?? maximumApiVersion,
    DefaultAPIVersion: maximumApiVersion,
    GitCommit: build,
    GoVersion: "",
    Os: process.platform,
    Arch: architectures[process.arch] ?? process.arch,
    BuildTime: "",
    Context: currentContextName(env, await loadDockerConfig(env, { signal })),
  };
  if (format === "json") stdout.json(`${JSON.stringify({ Client: client, Server: server ?? null })}\n`);
  else if (template) {
    const shown = {
      Client: { ...client, APIVersion: client.ApiVersion },
      Server: typedData(server && { ...server, APIVersion: server.ApiVersion }, serverShape),
    };
    stdout.values(`${template.execute(shown)}\n`);
  } else stdout.text(clientText(client) + (server ? `\n${serverText(server)}` : ""));
  if (asked.failure !== undefined)
    throw new CommandFailure(messageOf(asked.failure), { cause: asked.failure });
}

interface Asked {
  server?: EngineVersion;
  /** The API in use. */
  api?: string;
  failure?: unknown;
}

/** The client's part is shown even when the engine does not answer. */
async function ask(context: DockerContext): Promise<Asked> {
  const { signal } = context;
  try {
    return await withEngine(context, async (engine) => ({
      server: await engine.version({ signal }),
      api: await engine.apiVersion(signal),
    }));
  } catch (failure) {
    return { failure };
  }
}

function clientText(client: Readonly<Record<string, string>>): string {
  const { ApiVersion, DefaultAPIVersion } = client;
  const isOlder = ApiVersion !== DefaultAPIVersion;
  return block("Client:", [
    ["Version", client["Version"]],
    ["API version", `${ApiVersion}${isOlder ? ` (downgraded from ${DefaultAPIVersion})` : ""}`],
    ["Git commit", client["GitCommit"]],
    ["OS/Arch", `${client["Os"]}/${client["Arch"]}`],
    ["Context", client["Context"]],
  ]);
}

function serverText({ Platform, Components, ...server }: EngineVersion): string {
  const name = Platform?.Name ? `Server: ${Platform.Name}` : "Server:";
  const parts = (Components ?? []).map(({ Name, Version, Details }) => {
    if (Name === "Engine") return engineText(Version, Details ?? {});
    return inner(Name, [
      ["Version", Version],
      ["GitCommit", Details?.["GitCommit"]],
    ]);
  });
  return `${name}\n${parts.length > 0 ? parts.join("") : engineText(server.Version, { ...server })}`;
}

function engineText(version: string, details: Readonly<Record<string, string | undefined>>): string {
  const { ApiVersion, MinAPIVersion, GoVersion, GitCommit, BuildTime, Os, Arch, Experimental } = details;
  return inner("Engine", [
    ["Version", version],
    ["API version", `${ApiVersion} (minimum version ${MinAPIVersion})`],
    ["Go version", GoVersion],
    ["Git commit", GitCommit],
    ["Built", BuildTime],
    ["OS/Arch", `${Os}/${Arch}`],
    ["Experimental", Experimental ?? "false"],
  ]);
}

type Lines = readonly (readonly [key: string, value: string | undefined])[];

function block(head: string, lines: Lines): string {
  return `${head}\n${lines.map(([key, value]) => ` ${`${key}:`.padEnd(19)}${value ?? ""}\n`).join("")}`;
}

function inner(head: string, lines: Lines): string {
  return ` ${head}:\n${lines.map(([key, value]) => `  ${`${key}:`.padEnd(18)}${value ?? ""}\n`).join("")}`;
}
