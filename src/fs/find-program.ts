import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

/** Variables of a process, as `process.env` has them. */
type Variables = Readonly<Record<string, string | undefined>>;

/** Where programs are looked for when PATH is not set (as execvp does). */
const defaultPath = process.platform === "win32" ? "" : "/usr/bin:/bin";

/**
 * The path of a program, from the directories of PATH that are absolute: `.`, `bin` or an empty entry would run what a
 * build context happens to contain, and so does Windows, which looks into the working directory first (SEC-35). An
 * absolute name is given back as it is. Undefined when there is no such program.
 *
 * @param name without an extension; on Windows `.exe` is added
 */
export async function findProgram(name: string, env: Variables = process.env): Promise<string | undefined> {
  if (isAbsolute(name)) return name;
  // A path that is not absolute is not a name, and would be taken from the working directory.
  if (name === "" || /[/\\]/.test(name)) return undefined;
  const file = process.platform === "win32" ? `${name}.exe` : name;
  for (const directory of absoluteEntries(pathOf(env) || defaultPath)) {
    const path = join(directory, file);
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Variables for a program, with a PATH on which it, too, finds nothing in its working directory. */
export function programEnvironment<V extends Variables>(env: V): V {
  const names = Object.keys(env).filter((name) => isPath(name));
  // An empty PATH means the working directory to execvp.
  const cleaned = names.map((name) => [
    name,
    absoluteEntries(env[name] ?? "").join(delimiter) || defaultPath,
  ]);
  return { ...env, ...Object.fromEntries(cleaned) };
}

function absoluteEntries(path: string): string[] {
  return path.split(delimiter).filter((entry) => isAbsolute(entry));
}

function pathOf(env: Variables): string | undefined {
  const name = Object.keys(env).find((one) => isPath(one));
  return name === undefined ? undefined : env[name];
}

/** Windows writes it `Path`, and does not tell cases apart. */
function isPath(name: string): boolean {
  return name === "PATH" || (process.platform === "win32" && name.toUpperCase() === "PATH");
}
