/**
 * The path of a pipe of Windows' by what follows `npipe://`, with slashes of either kind: `//./pipe/docker_engine`, `\\.\pipe\x`,
 * `//SERVER/pipe/x` of another machine. Undefined for what is none, such as a path with a slash too few.
 */
export function namedPipePath(text: string): string | undefined {
  const path = text.replaceAll("/", "\\");
  return /^\\\\(\.|\?|[A-Za-z0-9][A-Za-z0-9._-]*)\\pipe\\[^\\\0-\x1f][^\0-\x1f]*$/i.test(path)
    ? path
    : undefined;
}

/** Why a pipe cannot be dialled here; undefined where it can. Elsewhere its path would be that of a file. */
export function pipeRefusal(): string | undefined {
  return process.platform === "win32" ? undefined : "named pipes are there on Windows only";
}
