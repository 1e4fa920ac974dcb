import { InvalidArgumentError, holdStream, readOptions, sleep } from "../core/index.js";
import { EngineError } from "./errors.js";
import { ExecStream, type ExecStreamOptions } from "./exec-stream.js";
import { containerSegment, execSegment } from "./names.js";
import { callKinds, execKinds, resizeKinds } from "./option-kinds.js";
import type { CallOptions, Transport } from "./transport.js";
import type { ExecCreateBody, ExecInspect } from "./wire-container.js";

/** What to run in a container. */
export interface ExecCreateOptions extends CallOptions {
  cmd: readonly string[];
  /** Default false. */
  attachStdin?: boolean;
  tty?: boolean;
  privileged?: boolean;
  user?: string;
  workingDir?: string;
  env?: readonly string[];
}

/** Calls on processes that are run in a running container. */
export class Execs {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Prepares a process and gives the exec's id.
   *
   * @throws EngineError `ENGINE_CONFLICT` when the container is stopped, paused or restarting.
   */
  async create(container: string, options: ExecCreateOptions): Promise<string> {
    const {
      cmd,
      attachStdin = false,
      tty = false,
      privileged = false,
      user,
      workingDir,
      env,
      ...rest
    } = readOptions("exec.create()", options, execKinds.create);
    if (cmd === undefined) throw new InvalidArgumentError("exec.create() needs the option cmd");
    const json: ExecCreateBody = {
      AttachStdin: attachStdin,
      AttachStdout: true,
      AttachStderr: true,
      Tty: tty,
      Privileged: privileged,
      Cmd: [...cmd],
      ...(user !== undefined && { User: user }),
      ...(workingDir !== undefined && { WorkingDir: workingDir }),
      ...(env !== undefined && { Env: [...env] }),
    };
    const path = `/containers/${containerSegment(container)}/exec`;
    const { Id } = await this.#transport.json<{ Id?: string }>({ ...rest, method: "POST", path, json });
    if (!Id) throw new EngineError("ENGINE_PROTOCOL", "exec ID empty", { method: "POST", path });
    return Id;
  }

  /**
   * Starts the process and takes over the connection as its stdin and stdout. The signal holds only until then.
   *
   * @throws EngineError `ENGINE_UPGRADE_REFUSED` when a proxy does not pass raw streams on.
   */
  async start(id: string, options: CallOptions & ExecStreamOptions = {}): Promise<ExecStream> {
    const { signal, milliseconds, ...stream } = readOptions("exec.start()", options, execKinds.start);
    const socket = await this.#transport.hijack({
      signal,
      milliseconds,
      method: "POST",
      path: `/exec/${execSegment(id)}/start`,
      json: { Detach: false, Tty: stream.tty ?? false },
    });
    // It may break before its caller listens for errors.
    return holdStream(new ExecStream(id, socket, stream));
  }

  /** Starts the process without attaching to it. */
  async startDetached(id: string, options: CallOptions = {}): Promise<void> {
    const call = readOptions("exec.startDetached()", options, callKinds);
    const json = { Detach: true, Tty: false };
    await this.#transport.send({ ...call, method: "POST", path: `/exec/${execSegment(id)}/start`, json });
  }

  /** Tells the process's terminal how large it is. */
  async resize(id: string, options: CallOptions & { rows: number; columns: number }): Promise<void> {
    const { rows, columns, ...rest } = readOptions("exec.resize()", options, resizeKinds);
    const path = `/exec/${execSegment(id)}/resize`;
    await this.#transport.send({ ...rest, method: "POST", path, query: { h: rows, w: columns } });
  }

  /** What the engine knows of an exec. */
  async inspect(id: string, options: CallOptions = {}): Promise<ExecInspect> {
    const call = readOptions("exec.inspect()", options, callKinds);
    return this.#transport.json({ ...call, method: "GET", path: `/exec/${execSegment(id)}/json` });
  }

  /**
   * The exit code of a process whose output has ended; the engine may take a moment to know it. Undefined when it
   * still runs after 2 s.
   */
  async exitCode(id: string, options: CallOptions = {}): Promise<number | undefined> {
    const call = readOptions("exec.exitCode()", options, callKinds);
    for (let waited = 0; ; waited += 50) {
      const { Running, ExitCode } = await this.inspect(id, call);
      if (!Running && ExitCode !== null) return ExitCode;
      if (waited >= 2_000) return undefined;
      await sleep(50, call.signal);
    }
  }
}
