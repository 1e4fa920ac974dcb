import path from "node:path";
import { type BakePlan, type Privilege, privilegeText } from "../bake/index.js";
import { parseGoBool } from "../config/index.js";
import { SlipwayError } from "../core/index.js";
import { askLine } from "./ask-line.js";
import type { CliContext } from "./cli-context.js";

/** What is needed to ask for privileges. */
export interface PrivilegeRequest {
  plan: BakePlan;
  allow: readonly string[];
  /** Nobody is there to read or answer a question. */
  isSilent: boolean;
  /** The definition is somebody else's. */
  isRemote: boolean;
}

const sentences: Readonly<Record<Privilege["kind"], string>> = {
  "network.host": "Running build containers that can access host network",
  "security.insecure": "Running privileged containers that can make system changes",
  device: "Access to CDI devices",
  ssh: "Forwarding default SSH agent socket",
  "buildx.local.delete": "Deleting stale files from local output destinations",
  "fs.read": "Read access to path",
  "fs.write": "Write access to path",
  fs: "Read and write access to path",
};

const order = Object.keys(sentences);

/**
 * Asks for what the targets do beyond their directory and was not allowed, and gives what is allowed then (buildx v0.38
 * bake/entitlements.go, whose texts these are).
 *
 * @throws SlipwayError BAKE_PRIVILEGES when it is not granted
 */
export async function grantPrivileges(request: PrivilegeRequest, context: CliContext): Promise<string[]> {
  const { plan, allow, isSilent } = request;
  const missing = plan
    .missingPrivileges(allow)
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
    .map(shown);
  const granted = [...allow, ...missing.map(privilegeText)];
  const isStopped = mustStop(missing, request, context);
  if (missing.length === 0 || (isSilent && !isStopped)) return granted;
  const flags = missing.map((one) => `--allow=${privilegeText(one)}`).join(" ");
  if (isSilent) throw refusal(`: pass ${JSON.stringify(flags)} to grant requested privileges`);
  const isTerminal = context.stdin.isTTY === true;
  context.stderr.text(explanation(missing, flags, isTerminal));
  if (!isStopped) return granted;
  if (missing.some(isFile) && context.env["BUILDX_BAKE_ENTITLEMENTS_FS"] === undefined)
    context.stderr.text(
      "To disable filesystem entitlements checks, you can set BUILDX_BAKE_ENTITLEMENTS_FS=0 .\n\n",
    );
  if (isTerminal) {
    const answer = await askLine(context, "Do you want to grant requested privileges and continue? [y/N] ");
    if (answer.toLowerCase() === "y") return granted;
  }
  throw refusal("");
}

function refusal(more: string): SlipwayError {
  return new SlipwayError("BAKE_PRIVILEGES", `additional privileges requested${more}`);
}

function isFile({ kind }: Privilege): boolean {
  return kind === "ssh" || kind.startsWith("fs");
}

/** Whether something is missing that the environment does not let pass. */
function mustStop(
  missing: readonly Privilege[],
  { isRemote }: PrivilegeRequest,
  { env }: CliContext,
): boolean {
  const isOff =
    parseGoBool(env["BUILDX_BAKE_ENTITLEMENTS_FS"] ?? "") === false ||
    (isRemote && parseGoBool(env["BAKE_ALLOW_REMOTE_FS_ACCESS"] ?? "") === true);
  return missing.some((one) => !isOff || !isFile(one));
}

function explanation(missing: readonly Privilege[], flags: string, isTerminal: boolean): string {
  const lines = missing.map(({ kind, value }) => {
    if (kind === "device" && value !== undefined) return ` - Access to device ${value}`;
    return ` - ${sentences[kind]}${value === undefined ? "" : ` ${value}`}`;
  });
  const way = isTerminal ? "In order to not see this message in the future pass" : "Pass";
  const [program = "", ...args] = process.argv.slice(1);
  const at = args.findIndex((arg) => arg === "bake" || arg === "f") + 1;
  const command = [path.basename(program), ...args.slice(0, at), flags, ...args.slice(at)].join(" ");
  return [
    "Your build is requesting privileges for following possibly insecure capabilities:\n",
    ...lines,
    `\n${way} ${JSON.stringify(flags)} to grant requested privileges.`,
    "\nYour full command with requested privileges:\n",
    `${command}\n`,
    "",
  ].join("\n");
}

/** A path as people would write it: from the working directory, as long as that is one step up at most. */
function shown(privilege: Privilege): Privilege {
  if (!privilege.kind.startsWith("fs") || privilege.value === undefined) return privilege;
  const way = path.relative(process.cwd(), privilege.value);
  return way.startsWith(path.join("..", "..")) ? privilege : { ...privilege, value: way === "" ? "." : way };
}
