import type { BuildEvent, VertexWarning } from "../core/index.js";
import type { Output } from "./output.js";
import { sanitizeText } from "./sanitize.js";
import type { Trace } from "./trace.js";
import { type WarningOptions, dedupeWarnings, formatWarnings } from "./warnings.js";

/** Texts of warnings are compared by content; more than this many are counted no further (MEM-7). */
const mostWarnings = 10_000;

/** Gathers what is said after the display has closed: messages that came meanwhile, and the warnings of the build. */
export class AfterBuild {
  readonly #messages: string[] = [];
  readonly #warnings: VertexWarning[] = [];

  /** Takes what concerns it of an event; a message is held back, since the display owns the lines (buildx logutil). */
  take(event: BuildEvent): void {
    if (event.type === "message") this.warn(event.text, event.level);
    else if (event.type === "status") {
      const room = mostWarnings - this.#warnings.length;
      this.#warnings.push(...event.warnings.slice(0, room));
    }
  }

  warn(text: string, level: "info" | "warning" = "warning"): void {
    this.#messages.push(formatMessage(level, text));
  }

  /** The messages, then the block of warnings. Leaves nothing for a second call. */
  print(output: Output, { warnings: isShown, ...options }: WarningOptions & { warnings: boolean }): void {
    for (const message of this.#messages.splice(0)) output.write(message);
    const warnings = this.#warnings.splice(0);
    if (isShown) output.write(formatWarnings(warnings, options));
  }

  /** The warnings of the build, one of each, for a display that shows them its own way. */
  takeWarnings(): VertexWarning[] {
    return dedupeWarnings(this.#warnings.splice(0));
  }
}

/** A message as buildx's logger writes it: `WARNING: text` and a newline. */
export function formatMessage(level: "info" | "warning", text: string): string {
  return `${level.toUpperCase()}: ${sanitizeText(text)}\n`;
}

/** The block for each failed vertex: its name and the last lines of its output (progressui printErrorLogs). */
export function printFailures(trace: Trace, output: Output): void {
  for (const vertex of trace.vertices) {
    if (!vertex.failed) continue;
    output.write(`------\n > ${vertex.name}:\n`);
    for (const line of vertex.log.tail()) output.write(Buffer.concat([line, Buffer.from("\n")]));
    output.write("------\n");
  }
}
