import { type Command, Option } from "commander";
import { formatHelp } from "./arguments/format-help.js";
import { commandTable } from "./command-table.js";
import type { Printer } from "./printer.js";

/** What {@link printHelp} needs. */
export interface PrintHelpOptions {
  command: Command;
  /** The command as it is called. */
  path: string;
  program: Command;
  printer: Printer;
}

/** Commands whose help leaves `--builder` out, since it means nothing to them (buildx commands/root.go). */
const withoutBuilder = new Set(["completion", "create", "login", "logout", "ls", "version"]);

/** Prints the help of a command, or of the program. */
export function printHelp({ command, path, program, printer }: PrintHelpOptions): void {
  const isProgram = command === program;
  const name = isProgram ? (path.split(" ").pop() ?? "") : command.name();
  const help = new Option("-h, --help", `help for ${name}`);
  const top = command.parent?.parent ? command.parent.name() : command.name();
  const globals = program.options.filter(({ long }) => long !== "--builder" || !withoutBuilder.has(top));
  const commands = isProgram
    ? [...commandTable.filter(({ hidden }) => !hidden), { name: "help", summary: "Help about any command" }]
    : command.commands.map((own) => ({ name: own.name(), summary: own.summary() || own.description() }));
  printer.text(
    formatHelp(command, {
      path,
      commands: commands.sort((a, b) => (a.name < b.name ? -1 : 1)),
      flags: isProgram ? [...globals, help] : [...command.options, help],
      globalFlags: isProgram ? [] : globals,
    }),
  );
}
