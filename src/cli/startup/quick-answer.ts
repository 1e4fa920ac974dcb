import { pluginMetadata } from "../plugin-metadata.js";
import { versionLine } from "../version.js";

/**
 * What is printed for arguments that need none of the program: `version`, and what docker asks of each of its plug-ins
 * whenever it starts. Undefined for all others.
 */
export function quickAnswer(args: readonly string[]): string | undefined {
  if (args.length !== 1) return undefined;
  if (args[0] === "version") return versionLine;
  return args[0] === "docker-cli-plugin-metadata" ? pluginMetadata : undefined;
}
