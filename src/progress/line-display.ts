import type { BuildEvent, SolveFailure } from "../core/index.js";
import { AfterBuild, formatMessage } from "./after-build.js";
import { type ProgressSink, type RenderOptions, progressSink } from "./options.js";
import type { Output } from "./output.js";
import { Pacer } from "./pacer.js";
import { mostPending } from "./plain-printer.js";
import { type LogSanitizer, sanitizeName } from "./sanitize.js";
import { StepLog } from "./step-log.js";
import { Trace } from "./trace.js";

/** Lines of a failed step that are repeated at the end (progressui logsBufferSize), and bytes of them at most. */
const failureLog = { keepLines: 10, keepBytes: 1 << 20, pending: true };

/** What prints a trace as lines. */
export interface LinePrinter {
  /** Printed once, before the first vertex. */
  description: string;
  /** Prints what is due. */
  print(): void;
  /** Prints all that is left. */
  flush(): void;
  /** Bytes of output that were not printed yet. */
  pendingBytes(): number;
}

/** How the displays made of lines differ. */
export interface LineDisplayOptions extends Pick<RenderOptions, "env" | "now"> {
  output: Output;
  /** Makes what strips the output of one step; none lets it pass as it is. */
  createSanitizer: (() => LogSanitizer) | undefined;
  createPrinter: (trace: Trace, now: () => number) => LinePrinter;
  /** Prints what comes after the last step. */
  finish: (trace: Trace, after: AfterBuild, failure: SolveFailure | undefined) => void;
}

/** A display that prints lines and never takes them back: feeds a printer and keeps the stream's pace. */
export function lineDisplay(options: LineDisplayOptions): ProgressSink {
  const { env = process.env, now = Date.now, output, createSanitizer, finish } = options;
  const after = new AfterBuild();
  const trace = new Trace({
    now,
    createLog: () => new StepLog(failureLog),
    onVertex: (vertex) => {
      if (createSanitizer) vertex.sanitizer = createSanitizer();
    },
  });
  const printer = options.createPrinter(trace, now);
  const draw = () => {
    if (output.dead) return trace.updates.clear();
    // A slow stream gets fewer statuses; output of steps is held back a little, then queued (FLT-39).
    if (!output.busy) printer.print();
    else if (printer.pendingBytes() > mostPending) printer.flush();
    output.flush();
  };
  const pacer = new Pacer({ now, env, draw, unfinished: () => trace.updates.size > 0 });
  let ended = false;
  const end = (failure?: SolveFailure) => {
    if (ended) return;
    ended = true;
    pacer.stop();
    printer.flush();
    if (!output.atLineStart) output.write("\n");
    finish(trace, after, failure);
    output.flush();
  };
  const take = (event: BuildEvent) => {
    if (event.type === "end") end(event.failure);
    else if (ended) {
      if (event.type !== "message") return;
      output.write(formatMessage(event.level, event.text));
      output.flush();
    } else if (event.type === "start") {
      const builder = sanitizeName(event.builder);
      printer.description ||= event.driver
        ? `building with "${builder}" instance using ${sanitizeName(event.driver)} driver`
        : `builder: ${builder}`;
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
