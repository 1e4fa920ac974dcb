import { Command } from "commander";
import { Builder } from "../../builder/index.js";
import { type Finding, doctor } from "../../manage/index.js";
import { sanitizeText } from "../../progress/index.js";
import { type CliContext, ExitCode, type GlobalFlags } from "../cli-context.js";
import { duration } from "../flags.js";
import { warn } from "../warn.js";

interface DoctorFlags extends GlobalFlags {
  image: string;
  timeout: number;
}

const marks: Readonly<Record<Finding["status"], string>> = { ok: "ok", note: "note", problem: "PROBLEM" };

/** `slipway doctor`: a line for all that a build depends on, with the way out where something is wrong. */
export function command(context: CliContext): Command {
  return new Command("doctor")
    .description("Look at all that a build depends on")
    .usage("[OPTIONS]")
    .option("--image <string>", "Image to look for in its registry", "docker.io/library/busybox")
    .option("--timeout <duration>", "Longest time for each look", duration, 20_000)
    .action((_flags: DoctorFlags, self: Command) => run(self.optsWithGlobals(), context));
}

async function run({ builder: name, image, timeout }: DoctorFlags, context: CliContext): Promise<void> {
  const { env, signal, stdout } = context;
  const builder = await Builder.open({ name, env, signal, onWarning: (text) => warn(context, text) });
  let problems = 0;
  for await (const { what, status, text, hint } of doctor({ builder, image, env, timeout, signal })) {
    if (status === "problem") problems += 1;
    const [first = "", ...more] = sanitizeText(text).trimEnd().split("\n");
    stdout.text(`${marks[status].padEnd(8)} ${what}: ${[first, ...more].join("\n         ")}\n`);
    if (hint !== undefined) stdout.text(`         ${hint}\n`);
  }
  if (problems > 0) throw new ExitCode(1);
}
