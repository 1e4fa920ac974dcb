import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "../core/index.js";
import { type Environment, variableOf } from "./environment.js";

/** What Node puts where bytes are not UTF-8. */
const replacement = "\ufffd";

/**
 * The bytes of an environment variable; undefined when it is not set. Node gives the environment as text and puts U+FFFD where the
 * bytes are not UTF-8; on Linux they still stand in /proc (proc(5): as the process was given them).
 *
 * @throws InvalidArgumentError for a value that may not be what it was, where its bytes cannot be had.
 */
export function variableBytes(env: Environment, name: string): Buffer | undefined {
  const value = variableOf(env, name);
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value);
  if (!value.includes(replacement)) return bytes;
  const key = Buffer.from(`${name}=`);
  const raw = rawEntries("/proc/self/environ").find((entry) => entry.subarray(0, key.length).equals(key));
  const given = raw?.subarray(key.length);
  // Who has set the variable anew, or gives an environment of his own, means the text.
  if (given === undefined || given.toString("utf8") !== value) {
    if (process.platform === "linux") return bytes;
    throw new InvalidArgumentError(
      `the environment variable ${name} is not UTF-8 and would arrive changed; put its value into a file`,
    );
  }
  return Buffer.from(given);
}

/**
 * The arguments as text, if they are text.
 *
 * @throws InvalidArgumentError for one whose bytes are not UTF-8: what it names would be another file or another value.
 */
export function checkArgumentBytes(args: readonly string[]): void {
  const doubtful = args.filter((text) => text.includes(replacement));
  if (doubtful.length === 0) return;
  const raw = rawEntries("/proc/self/cmdline");
  for (const text of doubtful)
    if (!raw.some((entry) => entry.equals(Buffer.from(text))))
      throw new InvalidArgumentError(
        `the argument ${JSON.stringify(text)} is not UTF-8 and would arrive changed; rename the file, or give the value in UTF-8`,
      );
}

/** What the kernel was given, NUL by NUL; empty where it does not tell. */
function rawEntries(path: string): Buffer[] {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch {
    return [];
  }
  const entries: Buffer[] = [];
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(0, at);
    entries.push(content.subarray(at, end < 0 ? content.length : end));
    at = end < 0 ? content.length : end + 1;
  }
  return entries;
}
