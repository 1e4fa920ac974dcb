import { type Environment, desktopUrl, hasDesktop } from "../config/index.js";
import type { CliContext } from "./cli-context.js";
import type { Printer } from "./printer.js";

/** Says where Docker Desktop shows a build, where it has been used; in a terminal as a link (buildx v0.38 util/desktop). */
export function printBuildDetails(
  ref: string,
  { printer, env }: { printer: Printer; env: Environment },
): void {
  if (!hasDesktop(env)) return;
  const url = desktopUrl(ref);
  printer.text(`\nView build details: ${printer.link(url, url) || url}\n`);
}

/** The same behind a display that shows more than what programs read. */
export function printDetailsAfter(
  mode: string,
  ref: string,
  { stderr, env }: Pick<CliContext, "stderr" | "env">,
): void {
  if (!["none", "quiet", "rawjson"].includes(mode)) printBuildDetails(ref, { printer: stderr, env });
}
