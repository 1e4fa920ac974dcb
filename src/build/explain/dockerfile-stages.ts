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
  "ONBUILD",
]);

/**
 * The stages of a Dockerfile, as far as what its steps depend on: lines that go on, comments and here-documents are read, variables
 * are left as they are. The first step of a stage is its FROM, number 1, as displays count.
 */
export function dockerfileStages(text: string): StageSettings[] {
  const stages: StageSettings[] = [];
  let count = 0;
  for (const line of instructions(text)) {
    const [, word = "", rest = ""] = /^(\S+)\s*([^]*)$/.exec(line) ?? [];
    const name = word.toUpperCase();
    if (name === "FROM") {
      const [, as] = /\sAS\s+(\S+)$/i.exec(rest.trimEnd()) ?? [];
      stages.push({ name: as?.toLowerCase() ?? `stage-${stages.length}`, settings: [] });
      count = 1;
    } else if (steps.has(name)) count++;
    else if (!silent.has(name)) stages.at(-1)?.settings.push({ before: count + 1, text: `${name} ${rest}` });
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

/** Lines joined with those that they go on in; what stands in a here-document belongs to its instruction. */
function* instructions(text: string): Generator<string, void> {
  let current = "";
  let ends: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (ends.length > 0) {
      current += `\n${line}`;
      if (line.trimStart() !== ends[0]) continue;
      ends.shift();
      if (ends.length > 0) continue;
      yield current;
      current = "";
      continue;
    }
    if (/^\s*(?:#|$)/.test(line)) continue;
    const goesOn = line.trimEnd().endsWith("\\");
    current += current === "" ? line.trimStart() : ` ${line.trim()}`;
    if (goesOn) {
      current = current.trimEnd().slice(0, -1).trimEnd();
      continue;
    }
    if (/^(?:RUN|COPY|ADD)\s/i.test(current))
      ends = [...current.matchAll(/<<-?["']?([A-Za-z_]\w*)["']?/g)].map(([, end = ""]) => end);
    if (ends.length > 0) continue;
    yield current;
    current = "";
  }
  if (current !== "") yield current;
}
