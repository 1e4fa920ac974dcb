import * as path from "node:path";

/**
 * The way from a directory to a path in it: relative, `""` for the directory itself, undefined when it lies outside. Compares
 * texts; links are for the caller to resolve.
 *
 * @param tools the rules of a system's paths: on Windows another drive has no relative way, and `..` is followed by `\`
 */
export function pathWithin(
  directory: string,
  inner: string,
  tools: Pick<path.PlatformPath, "relative" | "isAbsolute" | "sep"> = path,
): string | undefined {
  const way = tools.relative(directory, inner);
  const isOutside = way === ".." || way.startsWith(`..${tools.sep}`) || tools.isAbsolute(way);
  return isOutside ? undefined : way;
}
