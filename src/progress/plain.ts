import { readOptions } from "../core/index.js";
import { renderKinds } from "./option-kinds.js";
import { printFailures } from "./after-build.js";
import { hasColor } from "./colors.js";
import { lineDisplay } from "./line-display.js";
import type { ProgressSink, ProgressStream, RenderOptions } from "./options.js";
import { Output } from "./output.js";
import { PlainPrinter } from "./plain-printer.js";
import { LogSanitizer } from "./sanitize.js";

/** Progress as lines of text, each printed once, as with `--progress=plain`. */
export function plain(stream: ProgressStream, given: RenderOptions = {}): ProgressSink {
  const options = readOptions("plain()", given, renderKinds);
  const { env = process.env, debug = false, sanitize = "auto" } = options;
  const output = new Output(stream, { reader: env.GITHUB_ACTIONS === "true" ? "github" : undefined });
  const strip = sanitize === "always" || stream.isTTY === true;
  return lineDisplay({
    ...options,
    output,
    createSanitizer: strip ? () => new LogSanitizer() : undefined,
    createPrinter: (trace, now) =>
      new PlainPrinter({ trace, output, now, truncate: env.PROGRESS_NO_TRUNC === "0" }),
    finish(trace, after) {
      printFailures(trace, output);
      after.print(output, { debug, color: stream.isTTY === true && hasColor(env), warnings: true });
    },
  });
}
