import { formatReference, parseReference, withDefaultTag } from "../../registry/index.js";
import { readInstructions } from "../dockerfile/instructions.js";
import { expandVariables } from "./expand-variables.js";

/** What variables of a Dockerfile's `FROM` may be. */
export interface BaseImageArgs {
  /** Build arguments. */
  args?: ReadonlyMap<string, string>;
  /** Platforms that are built for, `os/arch[/variant]`: for names with `TARGETARCH` and its like. */
  platforms?: readonly string[];
}

/**
 * Names of images that a Dockerfile uses in `FROM`, `COPY --from` and `RUN --mount=from=`, as complete references. Names of stages,
 * and variables with no value here, are left out.
 */
export function baseImages(
  dockerfile: string,
  { args = new Map(), platforms = [] }: BaseImageArgs = {},
): string[] {
  const names = new Set<string>();
  for (const platform of platforms.length > 0 ? platforms : [""])
    for (const name of namesFor(dockerfile, args, platform)) names.add(name);
  return [...names].flatMap((name) => {
    try {
      return [formatReference(withDefaultTag(parseReference(name)))];
    } catch {
      return []; // no image: the builder will say what is wrong with it
    }
  });
}

function* namesFor(
  dockerfile: string,
  args: ReadonlyMap<string, string>,
  platform: string,
): Generator<string> {
  const stages = new Set<string>(["scratch"]);
  const variables = platformVariables(platform);
  let isGlobal = true;
  const isImage = (name: string) => !/^\d+$/.test(name) && !stages.has(name.toLowerCase());
  for (const { word, isTrigger, line } of readInstructions(dockerfile)) {
    if (isTrigger) continue;
    switch (word) {
      case "ARG":
        if (isGlobal) declareArguments(line, variables, args);
        break;
      case "FROM": {
        isGlobal = false;
        const words = line
          .trim()
          .split(/\s+/)
          .filter((part) => !part.startsWith("--"));
        const name = expandVariables(unquoted(words[0] ?? ""), variables);
        if (name && isImage(name)) yield name;
        if (words[1]?.toLowerCase() === "as" && words[2] !== undefined) stages.add(words[2].toLowerCase());
        break;
      }
      case "COPY":
      case "ADD":
      case "RUN":
        for (const [, name = ""] of line.matchAll(/(?:--from=|[=,]from=)([^\s,]+)/gi))
          if (isImage(unquoted(name))) yield unquoted(name);
    }
  }
}

/** `ARG A=1 B="$A-x" C`: build arguments come before what the Dockerfile says. */
export function declareArguments(
  text: string,
  variables: Map<string, string>,
  args: ReadonlyMap<string, string>,
): void {
  for (const [, name = "", value] of text.matchAll(/([A-Za-z_]\w*)(?:=("[^"]*"|'[^']*'|\S*))?/g)) {
    const set =
      args.get(name) ?? (value === undefined ? undefined : expandVariables(unquoted(value), variables));
    if (set !== undefined) variables.set(name, set);
  }
}

function unquoted(text: string): string {
  return /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;
}

/** Variables that are there without being declared (BK frontend/dockerfile platformargs). */
function platformVariables(platform: string): Map<string, string> {
  if (platform === "") return new Map();
  const [os = "", arch = "", variant = ""] = platform.split("/");
  return new Map([
    ["TARGETPLATFORM", platform],
    ["TARGETOS", os],
    ["TARGETARCH", arch],
    ["TARGETVARIANT", variant],
  ]);
}
