import { Command } from "commander";
import { printRows } from "../../cli/index.js";
import { currentContextName, listDockerContexts, loadDockerConfig } from "../../config/index.js";
import { messageOf } from "../../core/index.js";
import type { DockerContext } from "../docker-context.js";

const headers = {
  Name: "NAME",
  Description: "DESCRIPTION",
  DockerEndpoint: "DOCKER ENDPOINT",
  Error: "ERROR",
  Current: "",
};

/** `docker context ls`: the docker contexts of docker's configuration, and where their engines are. */
export function contextLs(context: DockerContext): Command {
  return new Command("ls")
    .description("List contexts")
    .usage("[OPTIONS]")
    .option("--format <string>", "Format output using a custom template: table, json, or a Go template")
    .option("-q, --quiet", "Only show context names")
    .action((flags: { format?: string; quiet?: boolean }) => run(flags, context));
}

async function run(flags: { format?: string; quiet?: boolean }, context: DockerContext): Promise<void> {
  const { env, signal, stdout, stderr } = context;
  const config = await loadDockerConfig(env, { signal });
  const current = currentContextName(env, config);
  const onProblem = (error: Error) => stderr.text(`Warning: ${messageOf(error)}\n`);
  const contexts = await listDockerContexts(env, config, { onProblem });
  printRows(stdout, {
    format: flags.quiet ? "{{.Name}}" : flags.format || "table",
    defaultTable: "{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}",
    headers,
    rows: contexts.map(({ contextName, host }) => ({
      fields: {
        Current: contextName === current,
        Description: contextName === "default" ? "Current DOCKER_HOST based configuration" : "",
        DockerEndpoint: host,
        Error: "",
        Name: contextName,
      },
    })),
  });
  if (env["DOCKER_HOST"])
    stderr.text(
      "Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set the global --context flag, or unset DOCKER_HOST environment variable.\n",
    );
}
