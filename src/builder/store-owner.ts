import { readFileSync } from "node:fs";

import { type Environment, homeDir } from "../config/index.js";
import { pathWithin } from "../fs/index.js";

/** Who owns what is written to the store, when it is not the user that the process runs as. */
export interface StoreOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user who called sudo, when the store lies in that user's home directory and HOME still points there: files made
 * with root's rights must not lock the user out (buildx confutil sudoer, STO-17).
 */
export function storeOwner(
  env: Environment,
  dir: string,
  passwd: () => string = () => readFileSync("/etc/passwd", "utf8"),
): StoreOwner | undefined {
  if (process.platform === "win32" || env["SUDO_COMMAND"] === undefined) return undefined;
  const uid = readId(env["SUDO_UID"]);
  const gid = readId(env["SUDO_GID"]);
  if (uid === undefined || gid === undefined) return undefined;
  const home = homeDir(env);
  if (homeOf(uid, passwd) !== home) return undefined;
  return pathWithin(home, dir) ? { uid, gid } : undefined;
}

function readId(text = ""): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Home directory of a user in passwd(5); undefined when there is none. */
function homeOf(uid: number, passwd: () => string): string | undefined {
  let text: string;
  try {
    text = passwd();
  } catch {
    return undefined; // no such file: nobody to give the files to
  }
  const entry = text
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[2] === String(uid));
  return entry?.[5];
}
