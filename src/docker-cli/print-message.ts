import type { JsonMessage } from "../engine-api/index.js";
import type { DockerContext } from "./docker-context.js";

/**
 * Prints what the engine tells of a pull, a push or a load, as docker does away from a terminal: without the moving parts (moby
 * pkg/jsonmessage JSONMessage.Display).
 */
export function printMessage({ stdout }: Pick<DockerContext, "stdout">, message: JsonMessage): void {
  const { id, status = "", stream, progressDetail } = message;
  if ((progressDetail?.current ?? 0) > 0 || (progressDetail?.total ?? 0) > 0) return;
  if (stream !== undefined) stdout.text(stream);
  else if (status !== "") stdout.text(`${id === undefined || id === "" ? "" : `${id}: `}${status}\n`);
}
