import { Command } from "commander";
import { CommandFailure } from "../command-failure.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { readTime } from "../read-time.js";

interface LogsFlags {
  follow?: boolean;
  since?: string;
  until?: string;
  tail: string;
  timestamps?: boolean;
}

/** `docker logs`: what a container has written. */
export function logs(context: DockerContext): Command {
  return new Command("logs")
    .description("Fetch the logs of a container")
    .usage("[OPTIONS] CONTAINER")
    .argument("<container>")
    .option("-f, --follow", "Follow log output")
    .option("--since <string>", "Show logs since timestamp or relative (e.g. 42m for 42 minutes)")
    .option("-n, --tail <string>", "Number of lines to show from the end of the logs", "all")
    .option("-t, --timestamps", "Show timestamps")
    .option("--until <string>", "Show logs before a timestamp or relative (e.g. 42m for 42 minutes)")
    .action((container: string, flags: LogsFlags) => run(container, flags, context));
}

async function run(container: string, flags: LogsFlags, context: DockerContext): Promise<void> {
  const { follow = false, timestamps = false, since, until } = flags;
  const { signal, stdout, stderr } = context;
  await withEngine(context, async ({ containers }) => {
    const { Id, Config } = await containers.inspect(container, { signal });
    const chunks = containers.logs(Id, {
      ...{ follow, timestamps, signal, tty: Config.Tty ?? false },
      ...(since !== undefined && { since: readTime(since) }),
      ...(until !== undefined && { until: readTime(until) }),
      ...(flags.tail !== "all" && { tail: readTail(flags.tail) }),
    });
    for await (const { stream, data } of chunks) await (stream === 1 ? stdout : stderr).payload(data);
  });
}

function readTail(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new CommandFailure(`invalid tail ${JSON.stringify(text)}: it must be a number or "all"`);
  return Number(text);
}
