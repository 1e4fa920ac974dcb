import { Command } from "commander";
import { BuildError } from "../../../build/index.js";
import { AbortedError, InvalidArgumentError } from "../../../core/index.js";
import type { BuildFailure, BuildRecord } from "../../../manage/index.js";
import type { CliContext, GlobalFlags } from "../../cli-context.js";
import { prepareReport } from "../../build-report.js";
import { withHistory } from "./with-history.js";

interface ReportFlags extends GlobalFlags {
  output?: string;
}

/** `slipway history report`: the page of `build --report`, drawn of a build that has ended. */
export function reportCommand(context: CliContext): Command {
  return new Command("report")
    .description("Write a page that shows where a build's time went")
    .usage("[OPTIONS] [REF]")
    .argument("[ref]", "Build, default the newest that has ended")
    .option("-o, --output <string>", "Output file path")
    .action((ref: string | undefined, _flags: ReportFlags, self: Command) =>
      run(ref, self.optsWithGlobals(), context),
    );
}

async function run(ref: string | undefined, flags: ReportFlags, context: CliContext): Promise<void> {
  const { signal } = context;
  if (flags.output === undefined)
    throw new InvalidArgumentError("a report is written to a file: give --output a path, such as build.html");
  const report = await prepareReport(flags.output, { flag: "--output", signal });
  await withHistory(context, flags, async (builds) => {
    const record = await builds.record(ref, { completedOnly: true, signal });
    report.collector({ type: "start", builder: record.builder, driver: "" });
    for await (const update of builds.status(record, { signal }))
      report.collector({ type: "status", ...update });
    const error = errorOf(record, await builds.failure(record, { signal }));
    const names = record.exporterResponse["image.name"]?.split(",") ?? [];
    await report.write({
      ...(names.length === 0 && record.name !== "" && { title: record.name }),
      result: { ref: record.ref, names, platforms: await builds.images(record, { signal }) },
      ...(error && { error }),
    });
  });
}

/** What the build was rejected with, as far as the builder remembers it. */
function errorOf({ status }: BuildRecord, failure: BuildFailure | undefined): Error | undefined {
  if (!failure) return undefined;
  const { code, message, step, sources } = failure;
  if (status === "canceled") return new AbortedError(message);
  return new BuildError(message, {
    grpcCode: code,
    step: step && { digest: step.digest, name: step.name, log: step.logs },
    sources: sources.map(({ source, ranges }) => ({ info: source, ranges })),
    cause: undefined,
  });
}
