import { Command } from "commander";
import { InvalidArgumentError } from "../../core/index.js";
import { loginToRegistry, serverHost } from "../../manage/index.js";
import { readStreamBounded } from "../../fs/index.js";
import type { CliContext } from "../cli-context.js";
import { askLine } from "../ask-line.js";
import { readInput } from "../read-input.js";
import { warn } from "../warn.js";

interface LoginFlags {
  username?: string;
  password?: string;
  passwordStdin?: boolean;
}

/** No password or token is longer, in bytes. */
const longestPassword = 64 * 1024;

/** `slipway login`: keeps credentials for a registry, where docker keeps them. */
export function command(context: CliContext): Command {
  return new Command("login")
    .description("Authenticate to a registry")
    .usage("[OPTIONS] [SERVER]")
    .argument("[server]", "Registry, default Docker Hub")
    .option("-p, --password <string>", "Password or Personal Access Token (PAT)")
    .option("--password-stdin", "Take the Password or Personal Access Token (PAT) from stdin")
    .option("-u, --username <string>", "Username")
    .action((server: string | undefined, flags: LoginFlags) => run(server, flags, context));
}

async function run(server: string | undefined, flags: LoginFlags, context: CliContext): Promise<void> {
  const { env, signal, stdout } = context;
  serverHost(server);
  const { username, password } = await credentialsOf(flags, context);
  const path = await loginToRegistry({ server, username, password, env, signal });
  if (path !== undefined)
    warn(
      context,
      `the credentials are stored unencrypted in ${path}; a credential helper (credsStore in that file) would keep them safe`,
    );
  stdout.text("Login Succeeded\n");
}

async function credentialsOf(
  { username, password, passwordStdin }: LoginFlags,
  context: CliContext,
): Promise<{ username: string; password: string }> {
  if (password !== undefined && passwordStdin)
    throw new InvalidArgumentError(
      "conflicting options: cannot specify both --password and --password-stdin",
    );
  if (passwordStdin) {
    if (!username)
      throw new InvalidArgumentError("the --password-stdin option requires --username to be set");
    const text = (
      await readInput(context, (stdin) => readStreamBounded(stdin, "the password", longestPassword))
    )
      .toString("utf8")
      .replace(/\r?\n$/, "");
    return { username, password: notEmpty(text) };
  }
  if (password !== undefined)
    warn(context, "using --password via the CLI is insecure. Use --password-stdin.");
  if (username && password !== undefined) return { username, password: notEmpty(password) };
  if (!context.stdin.isTTY)
    throw new InvalidArgumentError(
      "cannot perform an interactive login from a non-TTY device: give --username and --password-stdin",
    );
  const user = username || (await askLine(context, "Username: "));
  if (user === "") throw new InvalidArgumentError("username is empty");
  return {
    username: user,
    password: notEmpty(password ?? (await askLine(context, "Password: ", { hidden: true }))),
  };
}

function notEmpty(password: string): string {
  if (password === "") throw new InvalidArgumentError("password is empty");
  return password;
}
