import type { BuildEvent } from "../core/index.js";
import { AfterBuild, formatMessage, printFailures } from "./after-build.js";
import { type ProgressSink, type ProgressStream, type RenderOptions, progressSink } from "./options.js";
import { Output } from "./output.js";
import { Pacer } from "./pacer.js";
import { PlainPrinter, mostPending } from "./plain-printer.js";
import { LogSanitizer, sanitizeName } from "./sanitize.js";
import { StepLog } from "./step-log.js";
import { Trace } from "./trace.js";

/** Lines of a failed step that are repeated at the end (progressui logsBufferSize), and bytes of them at most. */
const failureLog = { keepLines: 10, keepBytes: 1 << 20, pending: true };

/** Progress as lines of text that are never taken back, as `--progress=plain` shows it (protocol.md 9.1). */
export function plain(stream: ProgressStream, options: RenderOptions = {}): ProgressSink {
  const { env = process.env, now = Date.now, debug = false, sanitize = "auto" } = options;
  const output = new Output(stream, { guard: env.GITHUB_ACTIONS === "true" });
  const after = new AfterBuild();
  const strip = sanitize === "always" || stream.isTTY === true;
  const trace = new Trace({
    now,
    createLog: () => new StepLog(failureLog),
    onVertex: (vertex) => {
      if (strip) vertex.sanitizer = new LogSanitizer();
    },
  });
  const printer = new PlainPrinter({ trace, output, now, truncate: env.PROGRESS_NO_TRUNC === "0" });
  const draw = () => {
    if (output.dead) return trace.updates.clear();
    // A slow stream gets fewer statuses; output of steps is held back a little, then queued (FLT-39).
    if (!output.busy) printer.print();
    else if (printer.pendingBytes() > mostPending) printer.flush();
    output.flush();
  };
  const pacer = new Pacer({ now, env, draw, unfinished: () => trace.updates.size > 0 });
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    pacer.stop();
    printer.flush();
    if (!output.atLineStart) output.write("\n");
    printFailures(trace, output);
    after.print(output, { debug, color: !env.NO_COLOR, warnings: true });
    output.flush();
  };
  const take = (event: BuildEvent) => {
    if (event.type === "end") end();
    else if (ended) {
      if (event.type !== "message") return;
      output.write(formatMessage(event.level, event.text));
      output.flush();
    } else if (event.type === "start") {
      const builder = sanitizeName(event.builder);
      printer.description ||= `building with "${builder}" instance using ${sanitizeName(event.driver)} driver`;
    } else {
      after.take(event);
      if (event.type !== "status") return;
      trace.update(event);
      pacer.update();
    }
  };
  return progressSink(take, {
    close() {
      end();
      return output.close();
    },
    ready: () => output.ready(),
  });
}
