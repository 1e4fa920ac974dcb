import { ExitCode, Template, TemplateError } from "../cli/index.js";
import { type SlipwayError, isSlipwayError, messageOf } from "../core/index.js";
import { CommandFailure } from "./command-failure.js";
import type { DockerContext } from "./docker-context.js";
import { type Shape, typedData } from "./typed-data.js";

/** Something that was inspected. */
export interface Inspected {
  /** As the engine gives it. */
  data: unknown;
  shape: Shape;
}

/** Exit code of a template that cannot be read (docker/cli cli/command/inspect). */
const templateExitCode = 64;

/**
 * Inspects each of several names, prints what was found, as JSON or by a template, and then what was not (docker/cli
 * cli/command/inspect Inspect).
 *
 * @throws ExitCode 1 when something was not found.
 */
export async function printInspected(
  { stdout, stderr }: DockerContext,
  names: readonly string[],
  format: string | undefined,
  inspect: (name: string) => Promise<Inspected>,
): Promise<void> {
  const template = format && format !== "json" ? readTemplate(format) : undefined;
  const found: unknown[] = [];
  const failures: string[] = [];
  let unreachable: SlipwayError | undefined;
  let text = "";
  for (const name of names) {
    try {
      const { data, shape } = await inspect(name);
      found.push(data);
      if (template) text += `${template.execute(typedData(data, shape))}\n`;
    } catch (error) {
      if (isSlipwayError(error, "ABORTED")) throw error;
      if (isSlipwayError(error, "ENGINE_CONNECT")) {
        unreachable = error;
        break;
      }
      failures.push(messageOf(error));
    }
  }
  if (template) stdout.values(text || "\n");
  else stdout.json(`${JSON.stringify(found, undefined, format === "json" ? undefined : 4)}\n`);
  if (unreachable) throw unreachable;
  if (failures.length === 0) return;
  stderr.text(`${failures.join("\n")}\n`);
  throw new ExitCode(1);
}

function readTemplate(text: string): Template {
  try {
    return Template.parse(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(error.message, { exitCode: templateExitCode, cause: error });
  }
}
