import { getSystemErrorMap } from "node:util";
import { messageOf } from "../core/index.js";
import { type ByteString, displayPath } from "./bytes.js";

const words: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENAMETOOLONG: "path too long",
  EIO: "input/output error",
  EISDIR: "it is a directory",
  EMFILE: "too many open files",
  ELOOP: "too many levels of symbolic links",
};

/** Why the system refused, without the path and the call that Node puts beside it. */
export function systemReason(error: unknown): string {
  const { code, errno } = error as NodeJS.ErrnoException;
  const own = code !== undefined && Object.hasOwn(words, code) ? words[code] : undefined;
  return own ?? getSystemErrorMap().get(errno ?? 0)?.[1] ?? messageOf(error);
}

/** The system error in words that name the path, escaped for display. */
export function describeSystemError(error: unknown, path: ByteString): string {
  return `${displayPath(path)}: ${systemReason(error)}`;
}
