import { readFile, readdir, readlink, realpath } from "node:fs/promises";

/**
 * The process that holds a flock(2) on the file, `undefined` when it cannot be seen. Linux only: looks for the
 * descriptor whose fdinfo has a lock, since /proc/locks names the process that made the call, which may be gone.
 */
export async function lockHolder(path: string): Promise<number | undefined> {
  try {
    const file = await realpath(path);
    for (const pid of await readdir("/proc")) {
      if (!/^[0-9]+$/.test(pid)) continue;
      if (Number(pid) !== process.pid && (await holdsLock(pid, file))) return Number(pid);
    }
  } catch {
    // no /proc, or no such file: then nobody can be named
  }
  return undefined;
}

async function holdsLock(pid: string, file: string): Promise<boolean> {
  try {
    for (const fd of await readdir(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => undefined);
      if (target !== file) continue;
      const info = await readFile(`/proc/${pid}/fdinfo/${fd}`, "utf8").catch(() => "");
      if (/^lock:.*FLOCK/m.test(info)) return true;
    }
  } catch {
    // another user's process, or one that just ended
  }
  return false;
}
