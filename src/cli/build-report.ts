import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InvalidArgumentError } from "../core/index.js";
import { writeFileAtomic } from "../fs/index.js";
import { type ReportCollector, type ReportOutcome, collectReport, reportHtml } from "../report/index.js";

/** The report of a command's build: collects, and is written when the build has ended, however it ended. */
export interface BuildReport {
  readonly collector: ReportCollector;
  write(outcome: ReportOutcome): Promise<void>;
}

/**
 * Prepares a report at the path that `flag` was given.
 *
 * @throws InvalidArgumentError when nothing could be written there, so that nobody builds in vain.
 */
export async function prepareReport(path: string, flag = "--report"): Promise<BuildReport> {
  if (path === "" || path === "-")
    throw new InvalidArgumentError(`a report is written to a file: give ${flag} a path, such as build.html`);
  const dir = dirname(path);
  try {
    await access(dir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason = code === "ENOENT" ? `there is no directory ${dir}` : `directory ${dir} is not writable`;
    throw new InvalidArgumentError(`cannot write report ${path}: ${reason}`);
  }
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isDirectory) throw new InvalidArgumentError(`cannot write report ${path}: it is a directory`);
  const collector = collectReport();
  return {
    collector,
    write: (outcome) => writeReport(path, collector, outcome),
  };
}

/** Writes a report in one piece: the file is there whole, or as it was before. */
export async function writeReport(
  path: string,
  collector: ReportCollector,
  outcome: ReportOutcome,
): Promise<void> {
  const page = reportHtml(collector.model(outcome));
  await writeFileAtomic(path, page, { mode: 0o666 & ~process.umask() });
}
