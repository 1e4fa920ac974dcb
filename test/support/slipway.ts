import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The command as one bundled file; `testbed/with` has built it. */
export const bundle = fileURLToPath(new URL("../../dist/slipway.mjs", import.meta.url));

/** `slipway-docker`, which is built with it. */
export const dockerProgram = fileURLToPath(new URL("../../dist/docker.cjs", import.meta.url));

/** Largest resident set that any command may have, in MiB. */
export const mostMebibytes = 200;

/** How {@link slipway} runs the command. */
export interface SlipwayOptions {
  /** Variables on top of the process's; undefined removes one. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Another program than the bundle. */
  program?: string;
  /** Fed to stdin, which is empty otherwise. */
  input?: string | Uint8Array;
  /** Run as this user and group (needs root). */
  uid?: number;
  gid?: number;
  /** What stdout is, if not captured. */
  stdout?: "pipe" | "ignore" | number;
  stderr?: "pipe" | "ignore" | number;
  /** Leave what is on stdout to the caller. */
  readStdout?: boolean;
  /** Leave what is on stderr to the caller. */
  readStderr?: boolean;
}

/** What became of a command. */
export interface SlipwayResult {
  /** Null when a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Largest resident set (VmHWM) in MiB; undefined when the process could not tell any more. */
  peakMebibytes: number | undefined;
}

/** A running command. */
export interface SlipwayRun {
  readonly child: ChildProcess;
  readonly result: Promise<SlipwayResult>;
  /** Resolves when stderr so far matches; rejects when the command ends before that, with all it has said. */
  said(pattern: RegExp): Promise<void>;
}

/** Starts `slipway ARGS…` as a process of its own. */
export function start(args: readonly string[], options: SlipwayOptions = {}): SlipwayRun {
  let stderr = "";
  const waiting = new Set<() => void>();
  const stir = () => {
    for (const wake of waiting) wake();
  };
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  const started = startMeasured(args, options, env);
  const { child } = started;
  if (options.readStderr !== false)
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      stir();
    });
  const stdout: Buffer[] = [];
  if (options.readStdout !== false) child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  let ended = false;
  const result = (async (): Promise<SlipwayResult> => {
    // "close" comes when the output has been read as well; without our reading it would not come.
    const event = options.readStdout === false || options.readStderr === false ? "exit" : "close";
    const [exitCode, signal] = (await once(child, event)) as [number | null, NodeJS.Signals | null];
    ended = true;
    stir();
    const peakMebibytes = await started.peak();
    return { exitCode, signal, stdout: Buffer.concat(stdout).toString("utf8"), stderr, peakMebibytes };
  })();
  result.catch(() => {}); // whoever awaits it hears of it
  return {
    child,
    result,
    async said(pattern) {
      while (!pattern.test(stderr)) {
        if (ended) throw new Error(`slipway ended without saying ${pattern}:\n${stderr}`);
        let wake = () => {};
        await new Promise<void>((resolve) => waiting.add((wake = resolve)));
        waiting.delete(wake);
      }
    },
  };
}

/** Runs `slipway ARGS…` to its end. */
export function slipway(args: readonly string[], options: SlipwayOptions = {}): Promise<SlipwayResult> {
  return start(args, options).result;
}

/** Runs `slipway ARGS…`, which is expected to succeed. */
export async function succeed(args: readonly string[], options: SlipwayOptions = {}): Promise<SlipwayResult> {
  const result = await slipway(args, options);
  if (result.exitCode === 0) return result;
  const end = result.signal ?? `exit code ${result.exitCode}`;
  throw new Error(`slipway ${args.join(" ")}: ${end}\n${result.stdout}${result.stderr}`);
}

/**
 * The child tells its peak itself when it exits: the kernel's own figure for a child (ru_maxrss) includes that of the
 * process it was forked from.
 */
function startMeasured(args: readonly string[], options: SlipwayOptions, env: NodeJS.ProcessEnv) {
  const { stdout = "pipe", stderr = "pipe", uid, gid, cwd, input } = options;
  const hook =
    'import fs from "node:fs"; process.on("exit", () => { try {' +
    'fs.writeSync(3, /VmHWM:\\s*(\\d+)/.exec(fs.readFileSync("/proc/self/status", "latin1"))[1]) } catch {} })';
  const stdio: StdioOptions = [input === undefined ? "ignore" : "pipe", stdout, stderr, "pipe"];
  const node = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`, options.program ?? bundle];
  const child = spawn(process.execPath, [...node, ...args], {
    env,
    stdio,
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  if (input !== undefined) {
    child.stdin?.on("error", () => {}); // a command need not read all of it
    child.stdin?.end(input);
  }
  let text = "";
  const report = child.stdio[3] as NodeJS.ReadableStream;
  report.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const closed = once(report, "close");
  return {
    child,
    async peak() {
      await closed;
      return text === "" ? undefined : Number(text) / 1024;
    },
  };
}

/** Makes an empty directory. */
export async function makeDirectory(prefix: string): Promise<string> {
  return await mkdtemp(path.join(tmpdir(), `slipway-${prefix}-`));
}

/** Removes a directory of {@link makeDirectory} with all that is in it. */
export async function removeDirectory(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
}
