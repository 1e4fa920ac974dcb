import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { SlipwayError, abortError, linkSignal, throwIfAborted } from "../core/index.js";
import { findProgram, programEnvironment } from "./find-program.js";
import { lockHolder } from "./lock-holder.js";
import { OwnerLock } from "./owner-lock.js";

/** Options of {@link lockFile}. */
export interface LockOptions {
  signal?: AbortSignal;
  /** How long to wait before it is an error, in milliseconds; default 60 000. */
  timeout?: number;
  /** How long to wait before {@link LockOptions.onWait} is called; default 5000 ms. */
  patience?: number;
  /** Told once when the lock is still not ours after `patience`. `pid` is the holder's, if it can be found. */
  onWait?: (holder: { path: string; pid: number | undefined }) => void;
  /** Shared locks go together and keep exclusive ones out; default `exclusive`. */
  mode?: "exclusive" | "shared";
  /** The program that makes flock(2) calls, by name or absolute path; default `flock`. */
  program?: string;
}

/** A held lock. Closing it, or the end of the process, releases it. */
export interface FileLock extends AsyncDisposable {
  readonly path: string;
  /** `flock` is the kernel's lock, which buildx takes too; `owner` is a file beside it, for places without flock(1). */
  readonly kind: "flock" | "owner";
  close(): Promise<void>;
}

/** The lock could not be taken in time. `pid` is the holder's, if it could be found. */
export class LockError extends SlipwayError {
  readonly path: string;
  readonly pid: number | undefined;

  constructor(path: string, pid: number | undefined, milliseconds: number) {
    const holder = pid === undefined ? "another process" : `pid ${pid}`;
    super("FS_LOCK", `${path} is still locked by ${holder} after ${milliseconds / 1000} s`);
    this.path = path;
    this.pid = pid;
  }
}

/**
 * Takes the exclusive lock on a file, which is made if it is not there: the flock(2) that Go programs take.
 *
 * Node has no such call. The lock belongs to the open file, so flock(1) is run on our descriptor and ends, and the
 * lock stays ours until the descriptor is closed, by us or by our death (STO-10, STO-11).
 *
 * @throws LockError when it stays locked, AbortedError, NodeJS.ErrnoException when the file cannot be opened.
 */
export async function lockFile(path: string, options: LockOptions = {}): Promise<FileLock> {
  const {
    timeout = 60_000,
    patience = 5000,
    onWait,
    program = "flock",
    mode = "exclusive",
    signal,
  } = options;
  throwIfAborted(signal);
  using limit = linkSignal(signal, { milliseconds: timeout, what: `locking ${path}` });
  const notice = setTimeout(() => {
    void lockHolder(path).then((pid) => {
      if (!settled) onWait?.({ path, pid });
    });
  }, patience);
  let settled = false;
  try {
    const call: FlockCall = { program, flag: mode === "shared" ? "-s" : "-x", signal: limit.signal };
    const lock = await kernelLock(path, call);
    return lock === "missing" ? await OwnerLock.take(path, limit.signal) : (lock as FileLock);
  } catch (error) {
    if (signal?.aborted) throw abortError(signal);
    if (limit.signal.aborted) throw new LockError(path, await lockHolder(path), timeout);
    throw error;
  } finally {
    settled = true;
    clearTimeout(notice);
  }
}

/**
 * Takes the exclusive lock if nobody has it, shared or not: `undefined` when somebody does, and `missing` on a machine without
 * flock(1), where nothing can be known of others.
 *
 * @throws AbortedError, NodeJS.ErrnoException when the file cannot be opened.
 */
export async function tryLockFile(
  path: string,
  options: Pick<LockOptions, "program" | "signal"> = {},
): Promise<FileLock | "missing" | undefined> {
  const { program = "flock", signal = new AbortController().signal } = options;
  throwIfAborted(signal);
  return await kernelLock(path, { program, flag: "-xn", signal });
}

/** A call of flock(1). */
interface FlockCall {
  program: string;
  flag: "-x" | "-s" | "-xn";
  signal: AbortSignal;
}

// If there were a link in the lock's place, the file would be made wherever the link leads.
const lockFlags =
  constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function kernelLock(path: string, call: FlockCall): Promise<FileLock | "missing" | undefined> {
  const file = await open(path, lockFlags, 0o600);
  try {
    // Node's permission model lets programs be run only with --allow-child-process.
    const flock = (process.permission?.has("child") ?? true) ? await findProgram(call.program) : undefined;
    const outcome = flock === undefined ? "missing" : await runFlock({ ...call, program: flock }, file.fd);
    if (outcome === "locked") return new KernelLock(path, file);
    await file.close();
    return outcome === "missing" ? outcome : undefined;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function runFlock({ program, flag, signal }: FlockCall, fd: number): Promise<"locked" | "busy"> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(program, [flag, "3"], {
      stdio: ["ignore", "ignore", "ignore", fd],
      env: programEnvironment(process.env),
    });
    const kill = () => child.kill("SIGKILL");
    const settle = (act: () => void) => {
      signal.removeEventListener("abort", kill);
      act();
    };
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    child.once("error", (error) => settle(() => reject(error)));
    child.once("exit", (code, killedBy) => {
      settle(() => {
        if (signal.aborted) reject(abortError(signal));
        else if (code === 0) resolve("locked");
        else if (code === 1 && flag === "-xn") resolve("busy");
        else
          reject(
            new SlipwayError(
              "FS_LOCK",
              `${program} failed with ${killedBy ?? `exit code ${code}`}: the file system may not take locks`,
            ),
          );
      });
    });
  });
}

class KernelLock implements FileLock {
  readonly path: string;
  readonly kind = "flock";
  #file: FileHandle | undefined;

  constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
