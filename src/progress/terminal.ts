import { type BuildEvent, readOptions } from "../core/index.js";
import { renderKinds } from "./option-kinds.js";
import { AfterBuild, formatMessage, printFailures } from "./after-build.js";
import { hasColor, readPalette } from "./colors.js";
import { renderFrame, windowMargin } from "./frame.js";
import { JobList } from "./jobs.js";
import { LogWindow } from "./log-window.js";
import { type ProgressSink, type ProgressStream, type RenderOptions, progressSink } from "./options.js";
import { Output } from "./output.js";
import { Pacer } from "./pacer.js";
import { LogSanitizer, sanitizeName } from "./sanitize.js";
import { Screen } from "./screen.js";
import { StepLog } from "./step-log.js";
import { Trace } from "./trace.js";

/** Output of a step kept to be shown if it fails. The daemon cuts it to 2 MiB itself, unless told otherwise. */
const failureLog = { keepLines: 20_000, keepBytes: 2 << 20, pending: false };

/** Progress as a picture that is drawn over and over on a terminal, as `--progress=tty` shows it (protocol.md 9.2). */
export function terminal(stream: ProgressStream, given: RenderOptions = {}): ProgressSink {
  const options = readOptions("terminal()", given, renderKinds);
  const { env = process.env, now = Date.now, debug = false, phase = "Building" } = options;
  const output = new Output(stream);
  const after = new AfterBuild();
  const palette = readPalette(env, (text) => output.write(formatMessage("warning", text)));
  const logLines = Math.max(0, Number.parseInt(env.BUILDKIT_TTY_LOG_LINES ?? "", 10) || 0) || 6;
  const size = () => ({ width: stream.columns || 80, height: stream.rows || 10 });
  const trace = new Trace({
    now,
    createLog: () => new StepLog(failureLog),
    onVertex: (vertex) => {
      vertex.sanitizer = new LogSanitizer();
    },
    onLog: (vertex, data) => {
      vertex.window ??= new LogWindow(logLines, size().width - windowMargin);
      vertex.windowBytes += data.length;
      vertex.window.write(data);
    },
  });
  const jobList = new JobList(trace);
  const screen = new Screen(output);
  let description = "";
  let ended = false;
  const draw = (final: boolean) => {
    if (output.dead || (output.busy && !final)) return;
    const jobs = jobList.jobs();
    const elapsed = Math.max(0, (now() - trace.startTime) / 1000);
    const view = {
      ...size(),
      ...jobList.counts(),
      description,
      elapsed,
      final,
      jobs,
      logLines,
      palette,
      phase,
    };
    screen.draw(renderFrame({ ...view, now: now() }), view);
  };
  const pacer = new Pacer({ now, env, draw: () => draw(false), unfinished: () => !ended && !output.dead });
  const onResize = () => draw(false);
  stream.on("resize", onResize);
  const end = () => {
    if (ended) return;
    ended = true;
    pacer.stop();
    stream.off("resize", onResize);
    draw(true);
    printFailures(trace, output);
    after.print(output, { debug, color: hasColor(env), warnings: true });
    output.flush();
  };
  const take = (event: BuildEvent) => {
    if (event.type === "end") end();
    else if (ended) {
      if (event.type !== "message") return;
      output.write(formatMessage(event.level, event.text));
      output.flush();
    } else if (event.type === "start") {
      description ||= `${sanitizeName(event.driver) || "builder"}:${sanitizeName(event.builder)}`;
      pacer.update();
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
