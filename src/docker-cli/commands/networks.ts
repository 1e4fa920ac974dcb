import { Command } from "commander";
import { printRows } from "../../cli/index.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { addFilter, readFilters } from "../filters.js";
import { shortId } from "../go-text.js";

interface NetworkLsFlags {
  filter?: string[];
  format?: string;
  /** `--no-trunc`. */
  trunc: boolean;
  quiet?: boolean;
}

const headers = {
  ID: "NETWORK ID",
  Name: "NAME",
  Driver: "DRIVER",
  Scope: "SCOPE",
  IPv4: "IPV4",
  IPv6: "IPV6",
  Internal: "INTERNAL",
  Labels: "LABELS",
  CreatedAt: "CREATED AT",
};

/** `docker network ls`: the engine's networks. */
export function networkLs(context: DockerContext): Command {
  const command = new Command("ls")
    .description("List networks")
    .usage("[OPTIONS]")
    .option("--format <string>", "Format output using a custom template: table, json, or a Go template")
    .option("--no-trunc", "Do not truncate the output")
    .option("-q, --quiet", "Only display network IDs");
  return addFilter(command).action((flags: NetworkLsFlags) => run(flags, context));
}

async function run(flags: NetworkLsFlags, context: DockerContext): Promise<void> {
  const networks = await withEngine(context, (engine) =>
    engine.networks.list({ filters: readFilters(flags.filter), signal: context.signal }),
  );
  const sorted = networks.sort((a, b) => (a.Name < b.Name ? -1 : 1));
  printRows(context.stdout, {
    format: flags.quiet ? "{{.ID}}" : flags.format || "table",
    defaultTable: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
    headers,
    rows: sorted.map((network) => {
      const labels = Object.entries(network.Labels ?? {});
      const fields = {
        CreatedAt: (network.Created ?? "").replace("T", " ").replace(/Z$/, " +0000 UTC"),
        Driver: network.Driver,
        ID: flags.trunc ? shortId(network.Id) : network.Id,
        IPv4: String(network.EnableIPv4 ?? false),
        IPv6: String(network.EnableIPv6 ?? false),
        Internal: String(network.Internal),
        Labels: labels.map(([key, value]) => `${key}=${value}`).join(","),
        Name: network.Name,
        Scope: network.Scope,
      };
      const values = new Map(labels);
      return {
        fields: { ...fields, Label: (name: string) => values.get(name) ?? "" },
        json: new Map(Object.entries(fields)),
      };
    }),
  });
}
