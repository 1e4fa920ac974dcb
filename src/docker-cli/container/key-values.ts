import { stat } from "node:fs/promises";
import { type Environment, variableOf } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { readBounded } from "../../fs/index.js";

/** Longest list of variables or labels, in bytes. */
const longestFile = 1024 * 1024;

/**
 * Variables of `--env-file` and `--env`, the flags last. A name alone takes the value that it has here, and is left out where it
 * has none (docker/cli opts ReadKVEnvStrings).
 *
 * @throws InvalidArgumentError
 */
export async function readVariables(
  flags: readonly string[],
  files: readonly string[],
  env: Environment,
  signal: AbortSignal,
): Promise<string[]> {
  const texts = [...(await linesOf(files, signal)), ...flags];
  return texts.flatMap((text) => {
    if (text === "" || text.startsWith("="))
      throw new InvalidArgumentError(`invalid environment variable: ${text}`);
    if (text.includes("=")) return [text];
    const value = variableOf(env, text);
    return value === undefined ? [] : [`${text}=${value}`];
  });
}

/** Labels of `--label-file` and `--label`; a key alone is empty. */
export async function readLabels(
  flags: readonly string[],
  files: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  return keyed([...(await linesOf(files, signal)), ...flags]);
}

/** `KEY=VALUE` texts as a record; the last of a key wins. */
export function keyed(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

async function linesOf(files: readonly string[], signal: AbortSignal): Promise<string[]> {
  const lines: string[] = [];
  for (const file of files) {
    const content = await readBounded(file, { limit: longestFile, signal, special: "read" });
    if (content.length === 0) await refuseDrained(file);
    const text = content.toString("utf8");
    for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/)) {
      const trimmed = line.trimStart();
      if (trimmed !== "" && !trimmed.startsWith("#")) lines.push(trimmed);
    }
  }
  return lines;
}

/**
 * Node takes `--env-file` for itself wherever it stands on its command line, and reads the file before the program starts
 * (Node src/node_dotenv.cc GetDataFromArgs): of a pipe nothing is left then.
 */
async function refuseDrained(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFIFO())
    throw new InvalidArgumentError(
      `nothing came from the pipe ${file}: Node reads it before this program does; give a file, or start the program by: node -- slipway-docker`,
    );
}
