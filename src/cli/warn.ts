import { formatMessage } from "../progress/index.js";
import type { CliContext } from "./cli-context.js";

/** Prints a warning on stderr, as the displays do. */
export function warn({ stderr }: Pick<CliContext, "stderr">, text: string): void {
  stderr.text(formatMessage("warning", text));
}
