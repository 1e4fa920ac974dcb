import { join } from "node:path";
import { type BakePlan, type BakeResult, type TargetFields } from "../bake/index.js";
import { type CallResult, isRemoteUrl, parseCall } from "../build/index.js";
import { goJson } from "../config/index.js";
import { messageOf } from "../core/index.js";
import { printCall } from "./print-call.js";
import type { Printer } from "./printer.js";

/**
 * Prints what the frontend says of each target, in order of their names, and gives the first exit code other than 0 (buildx
 * commands/bake.go).
 *
 * @param asked the value of `--call`
 */
export function printBakeCalls(
  plan: BakePlan,
  { targets }: BakeResult,
  asked: string,
  stdout: Printer,
): number {
  const request = parseCall(asked);
  const answers = [...targets]
    .flatMap(([name, { call }]) => (call ? [[name, call] as const] : []))
    .sort(byName);
  if (answers.length === 0) return 0;
  const withFormat = answers.map(([name, call]): [string, CallResult] => [
    name,
    request ? { ...call, request: { ...request, name: call.request.name } } : call,
  ]);
  return request?.format === "json"
    ? printJson(plan, withFormat, stdout)
    : printTexts(plan, withFormat, stdout);
}

function printTexts(plan: BakePlan, answers: readonly [string, CallResult][], stdout: Printer): number {
  let exitCode = 0;
  for (const [at, [name, call]] of answers.entries()) {
    const target = plan.targets.get(name);
    if (at > 0) stdout.text("\n");
    stdout.text(`${name}\n${target?.description ? `${target.description}\n` : ""}\n`);
    try {
      // Each is printed, whatever the status of the one before.
      const status = printCall(call, { stdout, dockerfile: target && dockerfileOf(target) });
      exitCode ||= status;
    } catch (error) {
      stdout.text(`error: ${messageOf(error)}\n`);
      exitCode = 1;
    }
  }
  return exitCode;
}

/** One document with the definition and, beside each target, the answer as the frontend gave it. */
function printJson(plan: BakePlan, answers: readonly [string, CallResult][], stdout: Printer): number {
  const { group, target } = plan.toJSON();
  const calls = new Map(answers);
  const documents = Object.entries(target).map(([name, build]) => {
    const call = calls.get(name);
    if (!call) return [name, { build }] as const;
    const key = call.request.name === "lint" ? "check" : call.request.name;
    return [name, { build, [key]: call.json ?? {} }] as const;
  });
  stdout.json(`${goJson({ ...(group && { group }), target: Object.fromEntries(documents) })}\n`);
  return answers.reduce((code, [, { status, request }]) => code || (request.ignoreStatus ? 0 : status), 0);
}

/** How the user knows a target's Dockerfile; undefined where the frontend knows it best. */
function dockerfileOf({
  context = ".",
  dockerfile = "Dockerfile",
  ...target
}: TargetFields): string | undefined {
  if (target["dockerfile-inline"] !== undefined) return "inline";
  if (isRemoteUrl(context) || target.remote?.context !== undefined) return undefined;
  return join(context, dockerfile);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
