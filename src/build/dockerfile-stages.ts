import { readInstructions } from "./dockerfile/instructions.js";

/** A stage of a Dockerfile, as far as it matters which files it wants. */
export interface DockerfileStage {
  /** In lower case; empty when it has none. */
  name: string;
  /** Names of what it is built from, stages and images alike. */
  from: string[];
  /** Paths in the context, as they are written. */
  sources: string[];
}

/** Stages of a Dockerfile in their order. */
export function dockerfileStages(dockerfile: string): DockerfileStage[] {
  const stages: DockerfileStage[] = [];
  for (const { word, isTrigger, line } of readInstructions(dockerfile)) {
    if (isTrigger) continue;
    const words = line.trim().split(/\s+/);
    const plain = words.filter((part) => !part.startsWith("--"));
    const stage = stages.at(-1);
    switch (word) {
      case "FROM": {
        const name = plain[1]?.toLowerCase() === "as" ? (plain[2] ?? "").toLowerCase() : "";
        stages.push({ name, from: [plain[0] ?? ""], sources: [] });
        break;
      }
      case "COPY":
      case "ADD": {
        const from = words.find((part) => part.startsWith("--from="))?.slice("--from=".length);
        if (from !== undefined) stage?.from.push(from);
        else stage?.sources.push(...sourcesOf(plain));
        break;
      }
      case "RUN":
        for (const mount of words.filter((part) => part.startsWith("--mount="))) addMount(mount, stage);
    }
  }
  return stages;
}

/** Sources of `COPY a b /dest`, or `COPY ["a", "b", "/dest"]`; addresses are not of the context. */
function sourcesOf(words: readonly string[]): string[] {
  const text = words.join(" ");
  let all = [...words];
  if (text.startsWith("[")) {
    try {
      all = (JSON.parse(text) as unknown[]).map(String);
    } catch {
      // No list after all; the builder will say what it is.
    }
  }
  return all.slice(0, -1).filter((source) => !/^(?:<<|https?:\/\/|git@)/.test(source));
}

/** `--mount=type=bind,source=x[,from=y]`; bind is what a mount is without a type. */
function addMount(mount: string, stage: DockerfileStage | undefined): void {
  const fields = mount.slice("--mount=".length).split(",");
  const value = (...names: string[]) =>
    fields.find((field) => names.includes(field.split("=", 1)[0] ?? ""))?.replace(/^[^=]*=/, "");
  const from = value("from");
  if (from !== undefined) stage?.from.push(from);
  else if ((value("type") ?? "bind") === "bind") stage?.sources.push(value("source", "src") ?? ".");
}
