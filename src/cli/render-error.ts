import { CommanderError } from "commander";
import { type SourceLocation, isSlipwayError, messageOf } from "../core/index.js";
import type { Environment } from "../config/index.js";
import type { BakeError } from "../bake/index.js";
import type { BuildError, TargetsError } from "../build/index.js";
import { formatSource } from "../progress/index.js";
import { printBuildDetails } from "./build-details.js";
import { FailedBuild } from "./cli-context.js";
import type { Printer } from "./printer.js";

/** What {@link renderError} needs. */
export interface RenderErrorOptions {
  printer: Printer;
  env: Environment;
  /** Print the stack and the chain of causes. */
  debug: boolean;
}

/** gRPC codes that have an exit code of their own (buildx cmd/buildx/main.go). */
const exitCodes: Readonly<Record<number, number>> = { 1: 130, 8: 102, 13: 100 };

/** Prints an error as the command's last words and gives the exit code that stands for it. */
export function renderError(thrown: unknown, { printer, env, debug }: RenderErrorOptions): number {
  const isBuild = thrown instanceof FailedBuild;
  const error = isBuild ? thrown.cause : thrown;
  // By its code, since a command that does not build has not loaded the class.
  const failed = isSlipwayError(error, "BUILD_FAILED") ? (error as BuildError) : undefined;
  for (const { info, ranges } of sourcesOf(error)) printer.text(formatSource(info, ranges));
  const prefix = isBuild ? "failed to build: " : "";
  const text = error instanceof CommanderError ? error.message.replace(/^error: /, "") : messageOf(error);
  printer.text(`ERROR: ${prefix}${text}\n`);
  if (debug) printer.text(`${stackOf(error)}\n`);
  else if (!isExpected(error)) printer.text("Run with --debug for the stack\n");
  if (failed?.ref !== undefined) printBuildDetails(failed.ref, { printer, env });
  if (isSlipwayError(error, "ABORTED")) return 130;
  const code = (error as { grpcCode?: unknown } | undefined)?.grpcCode;
  return typeof code === "number" ? (exitCodes[code] ?? 1) : 1;
}

/** Places in sources that an error is about; of several errors in one, those of all. */
function sourcesOf(error: unknown): readonly SourceLocation[] {
  if (isSlipwayError(error, "TARGETS_FAILED"))
    return [...(error as TargetsError).failures.values()].flatMap(sourcesOf);
  if (!isSlipwayError(error, "BUILD_FAILED") && !isSlipwayError(error, "BAKE_DEFINITION")) return [];
  return (error as BuildError | BakeError).sources;
}

function isExpected(error: unknown): boolean {
  return isSlipwayError(error) || error instanceof CommanderError;
}

function stackOf(error: unknown): string {
  const lines: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) lines.push(at.stack ?? at.message);
  return lines.join("\ncaused by: ");
}
