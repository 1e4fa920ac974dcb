import { Command } from "commander";
import { proxyStdio } from "../../cli/index.js";
import { type DockerContext, withEngine } from "../docker-context.js";

/** `docker system dial-stdio`: stdin and stdout become a connection to the engine, as ssh is asked for by other clients. */
export function dialStdio(context: DockerContext): Command {
  return new Command("dial-stdio")
    .description("Proxy the stdio stream to the daemon connection. Should not be invoked manually.")
    .action(() =>
      withEngine(context, async (engine) => {
        const stream = await engine.dial({ signal: context.signal });
        try {
          await proxyStdio(stream, context);
        } finally {
          stream.destroy();
        }
      }),
    );
}
