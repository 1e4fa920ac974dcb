import { readFile, readlink } from "node:fs/promises";
import { hostname, uptime } from "node:os";

/** One process among all that ever ran on any machine. Empty texts where there is no /proc. */
export interface ProcessIdentity {
  host: string;
  /** Names the installation; many machines have one host name. */
  machineId: string;
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
    machineId: await machineId(),
    bootId: await bootId(),
    pidNamespace: await pidNamespace(),
    pid: process.pid,
    started: (await processStat(process.pid)).started,
  };
}

/**
 * Whether a process is known to have ended: it ran here, since the machine was started, where its number means to us what it
 * meant to it. What cannot be seen from here counts as running. A host name proves nothing: containers and copies of virtual
 * machines share one.
 *
 * `lastSign`: when the process last did something that can still be seen, in ms since 1970; given where it ran most probably on
 * this machine. Then one that ran before the machine was started has ended too, unless the sign is younger than that.
 */
export async function hasEnded(
  process: ProcessIdentity,
  { lastSign }: { lastSign?: number | undefined } = {},
): Promise<boolean> {
  if (process.host !== hostname()) return false;
  if (!(await isThisBoot(process)))
    return lastSign !== undefined && lastSign < startOfMachine() && (await isThisMachine(process));
  // Without /proc nothing but the host name is known.
  if (process.bootId === "" && lastSign === undefined) return false;
  if (process.pidNamespace !== (await pidNamespace())) return false;
  if (!isThere(process.pid)) return true;
  const { started, state } = await processStat(process.pid);
  // Nothing to be read: another user's, where those are hidden, or one that is just ending.
  if (started === "") return false;
  return started !== process.started || state === "Z" || state === "X";
}

async function isThisBoot(process: ProcessIdentity): Promise<boolean> {
  return process.bootId === (await bootId());
}

async function isThisMachine(process: ProcessIdentity): Promise<boolean> {
  return process.machineId !== "" && process.machineId === (await machineId());
}

/** Since when the machine runs, in ms since 1970. */
export function startOfMachine(): number {
  return Date.now() - uptime() * 1000;
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

/** Names the installation of this machine (machine-id(5)); empty where it has no name. */
export async function machineId(): Promise<string> {
  const text = (await readFile("/etc/machine-id", "utf8").catch(() => "")).trim();
  return text === "uninitialized" ? "" : text;
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
