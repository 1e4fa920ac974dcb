import { messageOf } from "../core/index.js";
import { isSlipwayError } from "../core/index.js";
import { ExitCode } from "../cli/index.js";
import type { DockerContext } from "./docker-context.js";

/**
 * Does something for each of several names. A failure keeps none of the others from it; all are told, and the command then
 * fails (docker/cli's commands on several objects).
 *
 * @throws ExitCode 1
 */
export async function forEach(
  names: readonly string[],
  { stderr }: Pick<DockerContext, "stderr">,
  work: (name: string) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  for (const name of names) {
    try {
      await work(name);
    } catch (error) {
      // These are not about the one name.
      if (isSlipwayError(error, "ABORTED") || isSlipwayError(error, "ENGINE_CONNECT")) throw error;
      failures.push(messageOf(error));
    }
  }
  if (failures.length === 0) return;
  stderr.text(`${failures.join("\n")}\n`);
  throw new ExitCode(1);
}
