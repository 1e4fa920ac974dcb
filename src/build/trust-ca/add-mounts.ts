import { placeAt, readInstructions } from "../dockerfile/instructions.js";

/**
 * A Dockerfile with `mounts` put behind the name of each RUN instruction, on the same line, so that all lines keep their numbers.
 * Triggers (ONBUILD) stay as they are: they would carry the mounts into the image.
 */
export function addMounts(dockerfile: string, mounts: string): string {
  const lines = dockerfile.split("\n");
  for (const instruction of readInstructions(dockerfile)) {
    if (instruction.word !== "RUN" || instruction.isTrigger) continue;
    const { line, column } = placeAt(instruction, instruction.wordEnd - 1);
    const text = lines[line - 1] ?? "";
    lines[line - 1] = `${text.slice(0, column + 1)} ${mounts}${text.slice(column + 1)}`;
  }
  return lines.join("\n");
}
