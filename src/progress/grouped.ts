import { type SolveFailure, type VertexWarning, readOptions } from "../core/index.js";
import { printFailures } from "./after-build.js";
import { type CiCommands, type CiSystem, ciCommands, ciSystem } from "./ci-commands.js";
import { GroupPrinter } from "./group-printer.js";
import { lineDisplay } from "./line-display.js";
import { groupedKinds } from "./option-kinds.js";
import type { ProgressSink, ProgressStream, RenderOptions } from "./options.js";
import { Output } from "./output.js";
import { LogSanitizer } from "./sanitize.js";

/** Options of {@link grouped}. */
export interface GroupedOptions extends RenderOptions {
  /** Whose log it is. Default: as the environment says, else `github`. */
  system?: CiSystem;
}

/**
 * Progress for the log of a CI job: steps are groups that can be folded, warnings and the build's failure are annotations
 * that lead to the line of the Dockerfile. On GitHub Actions by workflow commands, on GitLab by sections and coloured
 * lines. No text from outside can become a command. `display("auto", …)` chooses it on both where the stream is
 * no terminal.
 */
export function grouped(stream: ProgressStream, given: GroupedOptions = {}): ProgressSink {
  const options = readOptions("grouped()", given, groupedKinds);
  const { env = process.env } = options;
  const system = options.system ?? ciSystem(env) ?? "github";
  const output = new Output(stream, { reader: system });
  const commands = ciCommands(system, env);
  return lineDisplay({
    ...options,
    output,
    createSanitizer: () => new LogSanitizer({ returns: "break" }),
    createPrinter: (trace, now) => new GroupPrinter({ trace, output, now, commands }),
    finish(trace, after, failure) {
      printFailures(trace, output);
      const warnings = after.takeWarnings();
      after.print(output, { warnings: false });
      for (const warning of warnings) output.command(warningLine(warning, commands));
      if (failure) output.command(failureLine(failure, commands));
    },
  });
}

/** The frontend writes `Rule: what is wrong (line 3)`, or any text. */
function warningLine({ short, url, source, ranges }: VertexWarning, commands: CiCommands): string {
  const [, rule = "", rest = ""] = /^([A-Z]\w+): (.+)$/s.exec(short) ?? [];
  return commands.annotate({
    level: "warning",
    title: rule || "Build",
    text: (rule ? rest : short) + (url ? `\n${url}` : ""),
    source: source && { info: source, ranges },
  });
}

function failureLine({ message, sources }: SolveFailure, commands: CiCommands): string {
  return commands.annotate({ level: "error", title: "Build failed", text: message, source: sources[0] });
}
