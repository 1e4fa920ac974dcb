import { Command } from "commander";
import { ExitCode, collect } from "../../cli/index.js";
import { CommandFailure } from "../command-failure.js";
import { carryStreams } from "../container/carry-streams.js";
import { readVariables } from "../container/key-values.js";
import { type DockerContext, withEngine } from "../docker-context.js";

interface ExecFlags {
  detach?: boolean;
  env?: string[];
  envFile?: string[];
  interactive?: boolean;
  privileged?: boolean;
  tty?: boolean;
  user?: string;
  workdir?: string;
}

/** `docker exec`: runs a program in a running container, with its streams and its exit code. */
export function exec(context: DockerContext): Command {
  return new Command("exec")
    .description("Execute a command in a running container")
    .usage("[OPTIONS] CONTAINER COMMAND [ARG...]")
    .argument("<container>")
    .argument("<command...>")
    .option("-d, --detach", "Detached mode: run command in the background")
    .option("-e, --env <list>", "Set environment variables", collect)
    .option("--env-file <list>", "Read in a file of environment variables", collect)
    .option("-i, --interactive", "Keep STDIN open even if not attached")
    .option("--privileged", "Give extended privileges to the command")
    .option("-t, --tty", "Allocate a pseudo-TTY")
    .option("-u, --user <string>", 'Username or UID (format: "<name|uid>[:<group|gid>]")')
    .option("-w, --workdir <string>", "Working directory inside the container")
    .action((container: string, cmd: string[], flags: ExecFlags) => run(container, cmd, flags, context));
}

async function run(
  container: string,
  cmd: readonly string[],
  flags: ExecFlags,
  context: DockerContext,
): Promise<void> {
  const { env, signal, stdin, stderr } = context;
  const { detach = false, interactive = false, privileged = false, tty = false, user, workdir } = flags;
  if (tty && interactive && !detach && !stdin.isTTY)
    throw new CommandFailure("the input device is not a TTY");
  const variables = await readVariables(flags.env ?? [], flags.envFile ?? [], env, signal);
  await withEngine(context, async (engine) => {
    const id = await engine.exec.create(container, {
      ...{ cmd, tty, privileged, signal, attachStdin: interactive && !detach },
      ...(variables.length > 0 && { env: variables }),
      ...(user !== undefined && { user }),
      ...(workdir !== undefined && { workingDir: workdir }),
    });
    if (detach) return engine.exec.startDetached(id, { signal });
    const stream = await engine.exec.start(id, {
      tty,
      signal,
      onStderr: (data) => void stderr.payload(data),
    });
    const resize = (size: { rows: number; columns: number }) => engine.exec.resize(id, size);
    await carryStreams(stream, context, { stdin: interactive, tty, resize });
    const exitCode = await engine.exec.exitCode(id, { signal });
    if (exitCode === undefined)
      throw new CommandFailure("the program has closed its output and goes on running");
    if (exitCode !== 0) throw new ExitCode(exitCode);
    return undefined;
  });
}
