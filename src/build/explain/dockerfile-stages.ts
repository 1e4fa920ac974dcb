import { type Instruction, readInstructions } from "../dockerfile/instructions.js";

/** What of a stage decides on its steps besides the steps themselves. */
export interface StageSettings {
  /** As `FROM … AS name` has it, else its number. */
  name: string;
  /** `ARG`, `ENV`, `USER`, `SHELL` and others that make no step of their own, each with the number of the step that it stands before. */
  settings: { before: number; text: string }[];
}

/** Instructions that are steps; what else there is goes into the steps behind it, or into the image's configuration. */
const steps = new Set(["RUN", "COPY", "ADD", "WORKDIR"]);
/** Say nothing to the steps of a build. */
const silent = new Set([
  "CMD",
  "ENTRYPOINT",
  "EXPOSE",
  "HEALTHCHECK",
  "LABEL",
  "MAINTAINER",
  "STOPSIGNAL",
  "VOLUME",
]);

/**
 * The stages of a Dockerfile, as far as what its steps depend on: lines that go on, comments and here-documents are read, variables
 * are left as they are. The first step of a stage is its FROM, number 1, as displays count.
 */
export function dockerfileStages(text: string): StageSettings[] {
  const stages: StageSettings[] = [];
  let count = 0;
  for (const instruction of readInstructions(text)) {
    const { word, isTrigger, line } = instruction;
    if (isTrigger) continue;
    if (word === "FROM") {
      const [, as] = /\sAS\s+(\S+)$/i.exec(line.trimEnd()) ?? [];
      stages.push({ name: as?.toLowerCase() ?? `stage-${stages.length}`, settings: [] });
      count = 1;
    } else if (steps.has(word)) count++;
    else if (!silent.has(word))
      stages.at(-1)?.settings.push({ before: count + 1, text: `${word} ${withEvenBlanks(instruction)}` });
  }
  return stages;
}

/** The name and, if it has one, the default of each variable that an ARG declares. */
export function declaredArguments(text: string): string[] {
  if (!text.startsWith("ARG ")) return [];
  return text
    .slice(4)
    .split(/\s+/)
    .map((word) => word.split("=", 1)[0] ?? "")
    .filter((name) => name !== "");
}

/** The line with one blank where its lines were put together, if there was any. */
function withEvenBlanks({ line, parts }: Instruction): string {
  const begins = parts.map(({ at }) => at).filter((at) => at > 0 && at < line.length);
  const pieces = [0, ...begins].map((begin, index) => line.slice(begin, begins[index]));
  return pieces
    .map((piece, index) => {
      const before = pieces[index - 1];
      const isApart = before !== undefined && (before.trimEnd() !== before || piece.trimStart() !== piece);
      const own = index === pieces.length - 1 ? piece : piece.trimEnd();
      return isApart ? ` ${own.trimStart()}` : own;
    })
    .join("");
}
