import { Command } from "commander";
import { Template } from "../../cli/index.js";
import { currentContextName, loadDockerConfig } from "../../config/index.js";
import { messageOf } from "../../core/index.js";
import type { SystemInfo } from "../../engine-api/index.js";
import { formatBinaryBytes } from "../../progress/index.js";
import { CommandFailure } from "../command-failure.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { fields, flag, list, map, number, struct, text, typedData } from "../typed-data.js";
import { offeredDocker } from "../versions.js";

const shape = struct({
  ...fields(text, "ID", "Name", "Driver", "ServerVersion", "OSType", "OSVersion", "OperatingSystem"),
  ...fields(text, "Architecture", "KernelVersion", "DockerRootDir", "CgroupDriver", "CgroupVersion"),
  ...fields(text, "LoggingDriver", "DefaultRuntime", "InitBinary", "Isolation", "SystemTime", "HttpProxy"),
  ...fields(text, "HttpsProxy", "NoProxy", "IndexServerAddress", "ProductLicense"),
  ...fields(number, "Containers", "ContainersRunning", "ContainersPaused", "ContainersStopped", "Images"),
  ...fields(number, "NCPU", "MemTotal", "NFd", "NGoroutines", "NEventsListener"),
  ...fields(flag, "MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet"),
  ...fields(flag, "PidsLimit", "IPv4Forwarding", "OomKillDisable", "Debug", "ExperimentalBuild"),
  ...fields(flag, "LiveRestoreEnabled"),
  ...fields(list, "DriverStatus", "Labels", "SecurityOptions", "Warnings", "ServerErrors"),
  ...fields(map, "Runtimes"),
});

/** `docker info`: what the engine is, and what it can do. */
export function info(context: DockerContext): Command {
  return new Command("info")
    .description("Display system-wide information")
    .usage("[OPTIONS]")
    .option("-f, --format <string>", "Format output using a custom template: json, or a Go template")
    .action(({ format }: { format?: string }) => run(format, context));
}

async function run(format: string | undefined, context: DockerContext): Promise<void> {
  const { env, signal, stdout } = context;
  const template = format && format !== "json" ? Template.parse(format) : undefined;
  const Context = currentContextName(env, await loadDockerConfig(env, { signal }));
  const ClientInfo = { Debug: false, Context, Version: offeredDocker, Plugins: [], Warnings: null };
  if (!format)
    stdout.text(
      `Client:\n Version:    ${offeredDocker}\n Context:    ${Context}\n Debug Mode: false\n\nServer:\n`,
    );
  let told: SystemInfo | undefined;
  let failure: unknown;
  try {
    told = await withEngine(context, (engine) => engine.info({ signal }));
  } catch (error) {
    failure = error;
  }
  if (format === "json") stdout.json(`${JSON.stringify({ ...told, ClientInfo })}\n`);
  else if (template) stdout.values(`${template.execute(typedData({ ...told, ClientInfo }, shape))}\n`);
  else if (told) stdout.text(serverText(told));
  if (failure !== undefined) throw new CommandFailure(messageOf(failure), { cause: failure });
}

/** The engine's part, in the order of docker's (docker/cli cli/command/system/info.go). */
function serverText(told: SystemInfo): string {
  const more = told as SystemInfo & Record<string, unknown>;
  const lines: [key: string, value: unknown][] = [
    ["Containers", more["Containers"]],
    [" Running", more["ContainersRunning"]],
    [" Paused", more["ContainersPaused"]],
    [" Stopped", more["ContainersStopped"]],
    ["Images", more["Images"]],
    ["Server Version", told.ServerVersion],
    ["Storage Driver", told.Driver],
    ...(told.DriverStatus ?? []).map(([key, value]): [string, unknown] => [` ${key}`, value]),
    ["Logging Driver", more["LoggingDriver"]],
    ["Cgroup Driver", told.CgroupDriver],
    ["Cgroup Version", told.CgroupVersion],
    ["Runtimes", Object.keys(told.Runtimes ?? {}).join(" ")],
    ["Default Runtime", told.DefaultRuntime],
    ["Kernel Version", told.KernelVersion],
    ["Operating System", told.OperatingSystem],
    ["OSType", told.OSType],
    ["Architecture", told.Architecture],
    ["CPUs", told.NCPU],
    ["Total Memory", formatBinaryBytes(told.MemTotal)],
    ["Name", told.Name],
    ["ID", told.ID],
    ["Docker Root Dir", told.DockerRootDir],
  ];
  return lines
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => ` ${key}: ${String(value)}\n`)
    .join("");
}
