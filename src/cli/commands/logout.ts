import { Command } from "commander";
import { logoutFromRegistry, serverKey } from "../../manage/index.js";
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
      stdout.text(`Removing login credentials for ${serverKey(server)}\n`);
      await logoutFromRegistry({ server, env, signal, onWarning: (text) => warn(context, text) });
    });
}
