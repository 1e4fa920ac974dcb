import { Command } from "commander";
import { logoutFromRegistry, serverHost } from "../../manage/index.js";
import type { CliContext } from "../cli-context.js";
import { warn } from "../warn.js";

/** `slipway logout`: forgets the credentials for a registry. */
export function command(context: CliContext): Command {
  return new Command("logout")
    .description("Log out from a registry")
    .usage("[SERVER]")
    .argument("[server]", "Registry, default Docker Hub")
    .action(async (server: string | undefined) => {
      const { env, signal, stdout } = context;
      stdout.text(`Removing login credentials for ${credentialsName(server)}\n`);
      await logoutFromRegistry({ server, env, signal, onWarning: (text) => warn(context, text) });
    });
}

/** As docker says it: Docker Hub by the key that it has in the file. */
function credentialsName(server: string | undefined): string {
  const host = serverHost(server);
  return host === "docker.io" ? "https://index.docker.io/v1/" : host;
}
