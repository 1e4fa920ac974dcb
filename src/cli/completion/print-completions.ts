import type { Command } from "commander";
import type { CliContext } from "../cli-context.js";
import { complete } from "./complete.js";

/** Answers a completion script, in cobra's form: a word a line, perhaps a tab and its description; `:directive` at the end. */
export async function printCompletions(
  args: readonly string[],
  program: Command,
  context: CliContext,
  { descriptions }: { descriptions: boolean },
): Promise<void> {
  const { candidates, directive } = await complete(args, program, context);
  const lines = candidates.map(({ value, description }) =>
    descriptions && description ? `${value}\t${description}` : value,
  );
  context.stdout.text([...lines, `:${directive}\n`].join("\n"));
}
