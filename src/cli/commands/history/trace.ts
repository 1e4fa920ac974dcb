import { Readable } from "node:stream";
import { Command } from "commander";
import { InvalidArgumentError } from "../../../core/index.js";
import { readTrace, toJaeger } from "../../../manage/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { formatGoJson } from "../../format/index.js";
import { prepareOutput } from "../../write-output.js";
import { withHistory } from "./with-history.js";

interface TraceFlags extends GlobalFlags {
  addr?: string;
  compare?: string;
  output?: string;
}

/** `slipway history trace`: a build's OpenTelemetry spans in the JSON that Jaeger's UI takes. */
export function traceCommand(context: CliContext): Command {
  return new Command("trace")
    .description("Show the OpenTelemetry trace of a build record")
    .usage("[OPTIONS] [REF]")
    .argument("[ref]", "Build, default the newest that has ended")
    .option("--addr <string>", "Taken and not used: slipway serves no UI", "127.0.0.1:0")
    .option("--compare <string>", "Not supported: slipway serves no UI")
    .option("-o, --output <string>", "Output file path")
    .action((ref: string | undefined, _flags: TraceFlags, self: Command) =>
      run(ref, self.optsWithGlobals(), context),
    );
}

async function run(ref: string | undefined, flags: TraceFlags, context: CliContext): Promise<void> {
  const { signal, stdout } = context;
  // buildx serves the UI for it wherever its output goes; --addr means nothing without a terminal.
  if (flags.compare)
    throw new InvalidArgumentError(
      "--compare is for the trace UI that slipway does not have; write both traces with --output and open them in Jaeger",
    );
  if (!flags.output && stdout.isTerminal)
    throw new InvalidArgumentError(
      "refusing to write a trace to the terminal; write it with --output and open it in Jaeger",
    );
  const write = await prepareOutput(flags.output, context);
  await withHistory(context, flags, async (builds) => {
    const record = await builds.record(ref, { completedOnly: true, signal });
    const trace = toJaeger(await readTrace(builds, record, { signal }));
    await write(Readable.from([`${formatGoJson(trace, 2)}\n`]));
  });
}
