import { type Stats, lstatSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { SlipwayError } from "../core/index.js";

/** Bits of a mode. */
const othersWrite = 0o002;
const groupWrites = 0o020;

/**
 * Why files in a directory may be somebody else's work, in words; undefined where they are the user's own, and for what is
 * not there yet or no directory. Others are users of this machine besides root; who called sudo is the user.
 *
 * A group may write when it is the process's own: many systems give each user one (user private groups). Root is given
 * directories of users where only they could have made them, as by a mounted home, and not below /tmp.
 */
export function sharedReason(path: string): string | undefined {
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  const link = statsOf(lstatSync, path);
  const found = link?.isSymbolicLink() ? statsOf(statSync, path) : link;
  if (!link || !found?.isDirectory()) return undefined;
  if ((found.mode & othersWrite) !== 0) return "every user of this machine can write to it";
  if ((found.mode & groupWrites) !== 0 && found.gid !== process.getegid?.())
    return `the group ${found.gid} can write to it`;
  const owner = [link.uid, found.uid].find((id) => !isOwn(id, uid) && !(uid === 0 && isOnlyTheirs(path)));
  return owner === undefined ? undefined : `it belongs to the user ${owner}`;
}

/**
 * @param way what the user can do besides, as `BUILDX_CONFIG can name another directory`
 * @throws SlipwayError `FS_SHARED` when files in the directory may be somebody else's work
 */
export function refuseShared(path: string, way: string): void {
  const reason = sharedReason(path);
  if (reason !== undefined) throw new SlipwayError("FS_SHARED", sharedMessage(path, reason, way));
}

/** The sentence that refuses a directory. */
export function sharedMessage(path: string, reason: string, way: string): string {
  return `${path} is not used, since ${reason}: make it yours alone (chmod go-w), or ${way}`;
}

function isOwn(id: number, uid: number): boolean {
  return id === uid || id === 0 || (uid === 0 && String(id) === process.env["SUDO_UID"]);
}

/** Nobody but the owner and root could make the directory where it is. */
function isOnlyTheirs(path: string): boolean {
  const parent = statsOf(statSync, dirname(path));
  return parent !== undefined && (parent.mode & othersWrite) === 0;
}

function statsOf(look: typeof statSync, path: string): Stats | undefined {
  try {
    return look(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // below a file, or in a circle of links: whoever opens it is told
  }
}
