import type { Command } from "commander";
import { InvalidArgumentError } from "../../core/index.js";
import type { ProgramName } from "./program-name.js";

/**
 * Refuses a wrong number of operands in the words of docker's commands (docker/cli cli/required.go).
 *
 * @param path The command as it is called, `slipway build`.
 */
export function checkOperands(
  command: Command,
  operands: readonly string[],
  name: ProgramName,
  path: string,
): void {
  const { registeredArguments } = command;
  const least = registeredArguments.filter(({ required }) => required).length;
  const most = registeredArguments.some(({ variadic }) => variadic)
    ? Number.POSITIVE_INFINITY
    : registeredArguments.length;
  if (operands.length >= least && operands.length <= most) return;
  const what = most === 0 ? "accepts no arguments" : `requires ${amount(least, most)}`;
  throw new InvalidArgumentError(
    `${name.binary}: '${path}' ${what}\n\nUsage:  ${usageLine(command, path)}\n\nRun '${path} --help' for more information`,
  );
}

function amount(least: number, most: number): string {
  const plural = (count: number) => (count === 1 ? "argument" : "arguments");
  if (least === most) return `${least} ${plural(least)}`;
  if (most === Number.POSITIVE_INFINITY) return `at least ${least} ${plural(least)}`;
  if (least === 0) return `at most ${most} ${plural(most)}`;
  return `at least ${least} and at most ${most} ${plural(most)}`;
}

/** `slipway build [OPTIONS] PATH | URL | -`. */
export function usageLine(command: Command, path: string): string {
  return `${path} ${command.usage()}`.trimEnd();
}
