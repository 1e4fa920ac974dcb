import { readlink, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isSlipwayError } from "../core/index.js";
import { makeDirectory, writeError, writeFileAtomic } from "../fs/index.js";
import { dockerConfigDir } from "./config-dir.js";
import type { Environment } from "./environment.js";
import { type JsonObject, parseJsonObject } from "./json.js";
import { readConfigFile } from "./read-file.js";

/**
 * Changes docker's `config.json`: what `edit` gives takes the place of what was there. Names that docker does not know stay, in
 * their order; a file that is a link stays one. The file is the user's alone (0600), since it may hold passwords.
 *
 * @returns the file's path.
 * @throws ConfigError when the file cannot be read, or is not what it should be; FileWriteError when it cannot be written: it is
 * then as before.
 */
export async function editDockerConfig(
  env: Environment,
  edit: (raw: JsonObject) => JsonObject,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const path = join(dockerConfigDir(env), "config.json");
  const content = await readConfigFile(path, { signal });
  const raw = parseJsonObject(path, content ?? Buffer.alloc(0));
  try {
    await makeDirectory(dirname(path), 0o700);
    const target = content === undefined ? await linkTarget(path) : await realpath(path);
    await writeFileAtomic(target, `${JSON.stringify(edit(raw), undefined, "\t")}\n`, {
      mode: 0o600,
      ...(signal && { signal }),
    });
  } catch (error) {
    throw isSlipwayError(error) ? error : writeError(path, error);
  }
  return path;
}

/** As many as Linux follows. */
const mostLinks = 40;

/** Where a link points that leads nowhere yet, over others if need be; the path itself if it is none. */
async function linkTarget(path: string): Promise<string> {
  let target = path;
  for (let links = 0; links < mostLinks; links++) {
    try {
      // From where the link is, not from where a link on the way to it stands.
      target = resolve(await realpath(dirname(target)), await readlink(target));
    } catch {
      break;
    }
  }
  return target;
}
