import { trimTrailing } from "../../core/index.js";

/** A directive such as `# syntax=docker/dockerfile:1`. */
export interface Directive {
  name: "syntax" | "escape" | "check";
  value: string;
  /** From 1. */
  line: number;
}

/**
 * The directives that a Dockerfile begins with. They end at the first line that is none: an instruction, an empty line, a comment, or a
 * directive of another name (BK frontend/dockerfile/parser DirectiveParser). A name that comes twice is an error of the builder's.
 */
export function readDirectives(dockerfile: string): Directive[] {
  const found: Directive[] = [];
  for (const [index, line] of dockerfileLines(dockerfile).entries()) {
    const [, key = "", value = ""] = /^#\s*([a-z][a-z0-9]*)\s*=\s*(.+)$/i.exec(line.trim()) ?? [];
    const name = key.toLowerCase();
    if (name !== "syntax" && name !== "escape" && name !== "check") break;
    found.push({ name, value, line: index + 1 });
  }
  return found;
}

/** The frontend that a Dockerfile asks for; a first line for a shell (`#!`) may stand before it (BK parser DetectSyntax). */
export function frontendOf(dockerfile: string): { image: string; line: number } | undefined {
  const [shebang = ""] = /^#!.*\n/.exec(dockerfile.slice(byteOrderMark(dockerfile).length)) ?? [];
  const text = dockerfile.slice(byteOrderMark(dockerfile).length + shebang.length);
  const directive = readDirectives(text).find(({ name }) => name === "syntax");
  if (!directive) return undefined;
  return { image: directive.value.split(" ", 1)[0] ?? "", line: directive.line + (shebang === "" ? 0 : 1) };
}

/** What continues a line, by the directive `escape`. */
export function escapeOf(dockerfile: string): "\\" | "`" {
  return readDirectives(dockerfile).find(({ name }) => name === "escape")?.value === "`" ? "`" : "\\";
}

/** Lines without what ends them. A mark of the byte order, also that of text that has a character for each byte, counts for nothing. */
export function dockerfileLines(dockerfile: string): string[] {
  return dockerfile
    .slice(byteOrderMark(dockerfile).length)
    .split("\n")
    .map((line) => trimTrailing(line, "\r"));
}

/** The mark that a Dockerfile begins with, or nothing. */
export function byteOrderMark(dockerfile: string): string {
  return /^(?:\ufeff|\xef\xbb\xbf)?/.exec(dockerfile)?.[0] ?? "";
}
