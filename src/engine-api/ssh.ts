import { type ChildProcessByStdio, spawn } from "node:child_process";
import { Duplex, type Readable, type Writable } from "node:stream";
import type { Dial } from "../core/index.js";
import { InvalidArgumentError, abortError, holdStream, readOptions } from "../core/index.js";
import { findProgram, programEnvironment } from "../fs/index.js";
import { type SshEndpoint, parseEndpoint } from "./endpoint.js";
import { EngineError } from "./errors.js";
import { sshProgramKinds } from "./option-kinds.js";

const keptStderr = 16 * 1024;

/**
 * The command that connects to a daemon's socket on the other machine. It gets the socket's path if that is not the usual
 * one.
 */
export type BridgeCommand = (socket: string | undefined) => string[];

const dockerBridge: BridgeCommand = (socket) => [
  "docker",
  ...(socket ? ["--host", `unix://${socket}`] : []),
  "system",
  "dial-stdio",
];

/** The arguments for `ssh` (docker/cli connhelper: 30 s to connect, no terminal, the host only after `--`). */
export function sshArguments(endpoint: SshEndpoint, bridge: BridgeCommand = dockerBridge): string[] {
  return [
    "-o",
    "ConnectTimeout=30",
    "-T",
    ...(endpoint.user ? ["-l", endpoint.user] : []),
    ...(endpoint.port ? ["-p", String(endpoint.port)] : []),
    "--",
    endpoint.host,
    ...bridge(endpoint.socket),
  ];
}

/**
 * Dials an engine on another machine: every connection is an `ssh` of its own that runs `docker system dial-stdio`
 * there. A failing `ssh` destroys the stream with `ENGINE_CONNECT`, its exit code and what it wrote to stderr.
 */
export function dialSsh(endpoint: SshEndpoint, options: { command?: string } = {}): Dial {
  return dialBridge({ endpoint, what: "the Docker daemon", bridge: dockerBridge }, options.command);
}

/** What {@link dialProgramBySsh} runs, and what messages call that which it reaches. */
export interface SshProgram {
  /**
   * The words of the command. The remote shell reads them, so they must not contain characters that are special to a
   * shell.
   */
  command: BridgeCommand;
  what: string;
}

/**
 * Dials `ssh://[user@]host[:port][/socket]` by running a program there, whose stdin and stdout become the connection.
 * Errors are those of {@link dialSsh}.
 *
 * @throws InvalidArgumentError for another address.
 */
export function dialProgramBySsh(address: string, program: SshProgram): Dial {
  const { command, what } = readOptions("dialProgramBySsh()", program, sshProgramKinds);
  const endpoint = parseEndpoint(address, { tls: false });
  if (endpoint.kind !== "ssh") throw new InvalidArgumentError(`${address} is no address of ssh`);
  return dialBridge({ endpoint, what, bridge: command });
}

/** One end of an ssh connection, and what is behind the other. */
interface Bridge {
  endpoint: SshEndpoint;
  what: string;
  bridge: BridgeCommand;
}

function dialBridge(bridge: Bridge, name = "ssh"): Dial {
  return async (signal) => {
    const program = await findProgram(name);
    if (signal?.aborted) throw abortError(signal);
    if (program === undefined)
      throw new EngineError(
        "ENGINE_CONNECT",
        `${cannotReach(bridge)}: cannot run ssh: there is no such program on PATH`,
      );
    return runSsh(program, bridge, signal);
  };
}

function runSsh(program: string, bridge: Bridge, signal: AbortSignal | undefined): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    // A session of its own: Ctrl-C in the terminal must not take the connection away before the clean-up is done.
    const child = spawn(program, sshArguments(bridge.endpoint, bridge.bridge), {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      env: programEnvironment(process.env),
    });
    const onAbort = () => {
      child.kill();
      reject(abortError(signal as AbortSignal));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    child.once("error", (cause) => {
      signal?.removeEventListener("abort", onAbort);
      const message = `${cannotReach(bridge)}: cannot run ssh: ${cause.message}`;
      reject(new EngineError("ENGINE_CONNECT", message, { cause }));
    });
    child.once("spawn", () => {
      signal?.removeEventListener("abort", onAbort);
      const stream = holdStream(new SshStream(child, bridge));
      if (signal?.aborted) stream.destroy();
      else resolve(stream);
    });
  });
}

function cannotReach({ endpoint, what }: Bridge): string {
  return `cannot reach ${what} by ssh at ${endpoint.host}`;
}

type SshChild = ChildProcessByStdio<Writable, Readable, Readable>;

/** The two pipes of a running `ssh` as one stream. `end()` is a half-close; destroying it ends the process. */
class SshStream extends Duplex {
  readonly #child: SshChild;
  #stderr = "";
  #closed = false;

  constructor(child: SshChild, bridge: Bridge) {
    super({ allowHalfOpen: true });
    this.#child = child;
    child.stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-keptStderr);
    });
    // The exit that follows says more than a broken pipe.
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.on("error", () => {});
    // "close" comes after the exit and after both output pipes have been read to their ends.
    child.once("close", (code, signal) => {
      this.#closed = true;
      if (this.destroyed) return;
      if (code === 0) this.push(null);
      else this.destroy(this.#failure(bridge, code, signal));
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    // Errors of the pipe are left to the exit, so that ssh's own words are not lost.
    this.#child.stdin.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#child.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const child = this.#child;
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    if (this.#closed) return done(error);
    child.kill();
    child.once("close", () => done(error));
  }

  #failure(bridge: Bridge, code: number | null, signal: string | null): EngineError {
    const how = code === null ? `was ended by ${signal}` : `exited with code ${code}`;
    const stderr = this.#stderr.trim();
    const message = `${cannotReach(bridge)}: ssh ${how}${stderr && `: ${stderr}`}`;
    return new EngineError("ENGINE_CONNECT", message, { exitCode: code ?? undefined, stderr });
  }
}
