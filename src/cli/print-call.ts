import type { Writable } from "node:stream";
import type { CallResult } from "../build/index.js";

/** Prints the answer to a frontend request and gives the exit code it stands for (buildx commands/build.go printResult). */
export function printCall(call: CallResult, stream: Writable): number {
  const { request, json, text } = call;
  if (request.format === "json") stream.write(`${JSON.stringify(json, undefined, 2)}\n`);
  else {
    if (request.name === "lint") stream.write(`${lintHeader(json)}\n`);
    stream.write(text);
  }
  return request.ignoreStatus ? 0 : call.status;
}

function lintHeader(json: unknown): string {
  const warnings = (json as { warnings?: unknown[] } | undefined)?.warnings ?? [];
  if (warnings.length === 0) return "Check complete, no warnings found.";
  return `Check complete, ${warnings.length === 1 ? "1 warning has" : `${warnings.length} warnings have`} been found!`;
}
