import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/** One process among all that ever ran on any machine. Empty texts where there is no /proc. */
export interface ProcessIdentity {
  host: string;
  bootId: string;
  /** As `pid:[4026531836]`: the same number means another process in another container. */
  pidNamespace: string;
  pid: number;
  /** Clock ticks since boot, since numbers are used again. */
  started: string;
}

/** This process. */
export async function thisProcess(): Promise<ProcessIdentity> {
  return {
    host: hostname(),
    bootId: await bootId(),
    pidNamespace: await pidNamespace(),
    pid: process.pid,
    started: (await processStat(process.pid)).started,
  };
}

/**
 * Whether a process is known to have ended: it ran here, since the machine was started, where its number means to us what it
 * meant to it. What cannot be seen from here counts as running.
 *
 * `sameMachine`: that the host name says which machine it was. Then one from before a restart has ended too.
 */
export async function hasEnded(
  process: ProcessIdentity,
  { sameMachine = false }: { sameMachine?: boolean } = {},
): Promise<boolean> {
  if (process.host !== hostname()) return false;
  const boot = await bootId();
  if (process.bootId !== boot) return sameMachine && process.bootId !== "" && boot !== "";
  if (process.pidNamespace !== (await pidNamespace())) return false;
  if (!isThere(process.pid)) return true;
  const { started, state } = await processStat(process.pid);
  // Nothing to be read: another user's, where those are hidden, or one that is just ending.
  if (started === "") return false;
  return started !== process.started || state === "Z" || state === "X";
}

/** Whether there is a process of this number, a zombie counts. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Names one run of the machine's kernel. */
export async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
}

/** State and start of a process: fields 3 and 22 of /proc/<pid>/stat, counted from the `)` of field 2, which may hold anything. */
export async function processStat(pid: number): Promise<{ state: string; started: string }> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", started: fields[19] ?? "" };
}

async function pidNamespace(): Promise<string> {
  return readlink("/proc/self/ns/pid").catch(() => "");
}
