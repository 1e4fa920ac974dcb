import type { CallResult } from "../build/index.js";
import { formatDescribe, formatOutline, formatTargets } from "./call-tables.js";
import {
  type LintReport,
  formatLintError,
  formatLintWarnings,
  lintAnnotations,
  parseLint,
} from "./call-lint.js";
import type { Printer } from "./printer.js";

/** Where {@link printCall} prints to, and how it names the Dockerfile. */
export interface PrintCallOptions {
  stdout: Printer;
  /** Name of the Dockerfile as its user knows it; the builder's own for it when not given. */
  dockerfile?: string | undefined;
}

/** Version of the answers that are understood here (BK frontend/subrequests); newer ones come as the frontend's text. */
const knownVersion = "1.0.0";

/**
 * Prints the answer to a frontend request and gives the exit code it stands for (buildx v0.36 commands/build.go
 * printResult).
 *
 * @throws SlipwayError CHECK_FAILED for a check that found the Dockerfile to be wrong altogether.
 */
export function printCall(call: CallResult, { stdout, dockerfile }: PrintCallOptions): number {
  const { request, status } = call;
  const isJson = request.format === "json";
  const print = (text: () => string) => {
    if (isJson) stdout.json(`${call.jsonText}\n`);
    else stdout.text(isNewer(call.version) && call.text !== "" ? call.text : text());
  };
  switch (request.name) {
    // These have no status; one that the frontend gives all the same does not count.
    case "outline":
      print(() => formatOutline(call.json));
      return 0;
    case "targets":
      print(() => formatTargets(call.json));
      return 0;
    case "subrequests.describe":
      print(() => formatDescribe(call.json));
      return 0;
    case "lint": {
      const report = parseLint(call.json, dockerfile);
      if (!isJson && report.warnings.length > 0) stdout.text(`Check complete, ${foundText(report)}\n`);
      print(() => formatLintWarnings(report));
      if (!isJson) for (const annotation of lintAnnotations(report, dockerfile)) stdout.annotate(annotation);
      if (report.error && !isJson && report.warnings.length > 0) stdout.text("\n");
      if (report.error) throw formatLintError(report.error);
      if (!isJson && report.warnings.length === 0) stdout.text("Check complete, no warnings found.\n");
      break;
    }
    default:
      if (isJson) stdout.json(`${call.jsonText}\n`);
      else stdout.text(call.text);
  }
  return request.ignoreStatus ? 0 : status;
}

function foundText({ warnings: { length } }: LintReport): string {
  return length === 1 ? "1 warning has been found!" : `${length} warnings have been found!`;
}

function isNewer(version: string): boolean {
  const order = new Intl.Collator("en", { numeric: true });
  return version !== "" && order.compare(knownVersion, version) < 0;
}
