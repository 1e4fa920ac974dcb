import { type EventSink, InvalidArgumentError } from "../core/index.js";
import { prepareResultFile } from "../fs/index.js";
import { type ReportCollector, type ReportOutcome, collectReport, reportHtml } from "../report/index.js";

/** What is written about a command's build: collects, and is written when the build has ended, however it ended. */
export interface BuildRecord {
  readonly collector: EventSink;
  write(outcome: ReportOutcome): Promise<void>;
}

/** The report of a command's build. */
export interface BuildReport extends BuildRecord {
  readonly collector: ReportCollector;
}

/**
 * Prepares a report at the path that `flag` was given.
 *
 * @throws FileWriteError when nothing could be written there, so that nobody builds in vain.
 */
export async function prepareReport(
  path: string,
  { flag = "--report", signal }: { flag?: string; signal: AbortSignal },
): Promise<BuildReport> {
  if (path === "" || path === "-")
    throw new InvalidArgumentError(`a report is written to a file: give ${flag} a path, such as build.html`);
  const file = await prepareResultFile(path, "report");
  const collector = collectReport();
  return {
    collector,
    // That of a cancelled build is written too, but a pipe's reader is not waited for much longer.
    write: (outcome) =>
      file.write(reportHtml(collector.model(outcome)), signal.aborted ? AbortSignal.timeout(2000) : signal),
  };
}
