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

/** Progress that is redrawn in place on a terminal, as with `--progress=tty`. */
export function terminal(stream: ProgressStream, given: RenderOptions = {}): ProgressSink {
  const display = new TerminalDisplay(stream, readOptions("terminal()", given, renderKinds));
  return progressSink((event) => display.take(event), {
    close: () => display.close(),
    ready: () => display.output.ready(),
  });
}

class TerminalDisplay {
  readonly output: Output;
  readonly #stream: ProgressStream;
  readonly #options: RenderOptions;
  readonly #env: NonNullable<RenderOptions["env"]>;
  readonly #now: () => number;
  readonly #palette: ReturnType<typeof readPalette>;
  /** Lines of a step's output that are shown below it. */
  readonly #logLines: number;
  readonly #trace: Trace;
  readonly #jobList: JobList;
  readonly #screen: Screen;
  readonly #pacer: Pacer;
  readonly #after = new AfterBuild();
  #description = "";
  #hasEnded = false;

  constructor(stream: ProgressStream, options: RenderOptions) {
    const { env = process.env, now = Date.now } = options;
    this.#stream = stream;
    this.#options = options;
    this.#env = env;
    this.#now = now;
    this.output = new Output(stream);
    this.#palette = readPalette(env, (text) => this.output.write(formatMessage("warning", text)));
    this.#logLines = Math.max(0, Number.parseInt(env.BUILDKIT_TTY_LOG_LINES ?? "", 10) || 0) || 6;
    this.#trace = new Trace({
      now,
      createLog: () => new StepLog(failureLog),
      onVertex: (vertex) => {
        vertex.sanitizer = new LogSanitizer();
      },
      onLog: (vertex, data) => {
        vertex.window ??= new LogWindow(this.#logLines, this.#size().width - windowMargin);
        vertex.windowBytes += data.length;
        vertex.window.write(data);
      },
    });
    this.#jobList = new JobList(this.#trace);
    this.#screen = new Screen(this.output);
    const unfinished = () => !this.#hasEnded && !this.output.dead;
    this.#pacer = new Pacer({ now, env, draw: () => this.#draw(false), unfinished });
    stream.on("resize", this.#onResize);
  }

  take(event: BuildEvent): void {
    if (event.type === "end") this.#end();
    else if (this.#hasEnded) {
      if (event.type !== "message") return;
      this.output.write(formatMessage(event.level, event.text));
      this.output.flush();
    } else if (event.type === "start") {
      this.#description ||= `${sanitizeName(event.driver) || "builder"}:${sanitizeName(event.builder)}`;
      this.#pacer.update();
    } else {
      this.#after.take(event);
      if (event.type !== "status") return;
      this.#trace.update(event);
      this.#pacer.update();
    }
  }

  close(): Promise<void> {
    this.#end();
    return this.output.close();
  }

  readonly #onResize = () => this.#draw(false);

  #size() {
    return { width: this.#stream.columns || 80, height: this.#stream.rows || 10 };
  }

  #draw(final: boolean): void {
    if (this.output.dead || (this.output.busy && !final)) return;
    const now = this.#now();
    const view = {
      ...this.#size(),
      ...this.#jobList.counts(),
      description: this.#description,
      elapsed: Math.max(0, (now - this.#trace.startTime) / 1000),
      final,
      jobs: this.#jobList.jobs(),
      logLines: this.#logLines,
      palette: this.#palette,
      phase: this.#options.phase ?? "Building",
    };
    this.#screen.draw(renderFrame({ ...view, now }), view);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#pacer.stop();
    this.#stream.off("resize", this.#onResize);
    this.#draw(true);
    printFailures(this.#trace, this.output);
    const { debug = false } = this.#options;
    this.#after.print(this.output, { debug, color: hasColor(this.#env), warnings: true });
    this.output.flush();
  }
}
