import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { orAborted } from "../../core/index.js";
import { type DockerContext, withEngine } from "../docker-context.js";

/** `docker system dial-stdio`: stdin and stdout become a connection to the engine, as ssh is asked for by other clients. */
export function dialStdio(context: DockerContext): Command {
  return new Command("dial-stdio")
    .description("Proxy the stdio stream to the daemon connection. Should not be invoked manually.")
    .action(() =>
      withEngine(context, async (engine) => {
        const { stdin, stdout, signal } = context;
        const stream = await engine.dial({ signal });
        stdin.on("error", () => stream.end());
        stdin.pipe(stream);
        try {
          await orAborted(signal, pipeline(stream, stdout.stream, { end: false, signal }));
        } finally {
          stdin.unpipe(stream);
          stdin.destroy();
          stream.destroy();
        }
      }),
    );
}
