import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { types } from "node:util";
import { InvalidArgumentError, holdStream, readOptions } from "../core/index.js";
import { type PathStat, archivePath, getArchive, pathStatOf } from "./archives.js";
import { collect } from "./collect.js";
import { refuseCompressed } from "./compressed.js";
import { ExecStream, type ExecStreamOptions } from "./exec-stream.js";
import { type Filters, encodeFilters } from "./filters.js";
import { type LogChunk, readLogs } from "./logs.js";
import { containerSegment } from "./names.js";
import { callKinds, containerKinds, resizeKinds } from "./option-kinds.js";
import type { CallOptions, Transport } from "./transport.js";
import type { UploadSource } from "./upload-feed.js";
import type {
  ContainerCreateBody,
  ContainerCreated,
  ContainerInspect,
  ContainerSummary,
  ContainerWait,
} from "./wire-container.js";

/** Options of {@link Containers.logs}. */
export interface LogsOptions extends CallOptions {
  /** Default true. */
  stdout?: boolean;
  /** Default true. */
  stderr?: boolean;
  /** Only so many of the last lines. Default: all. */
  tail?: number;
  /** Only what was written since, in seconds since 1970 by the engine's clock. Default: all. */
  since?: number;
  /** Only what was written before, in the same way. */
  until?: number;
  /** Each line begins with its time. Default false. */
  timestamps?: boolean;
  /** Go on until the container stops. Default false. */
  follow?: boolean;
  /** The container has a terminal, so that its log is not framed. Default false. */
  tty?: boolean;
}

/** Options of {@link Containers.create}. */
export interface CreateContainerOptions extends CallOptions {
  /** Which of the image's platforms to use, `os/arch[/variant]`. Default: the one that fits the engine. */
  platform?: string;
}

/** Options of {@link Containers.attach}; the signal holds only until the streams are there. */
export interface AttachOptions extends CallOptions, Omit<ExecStreamOptions, "early"> {
  /** Default false. */
  stdin?: boolean;
  /** Default true. */
  stdout?: boolean;
  /** Default true. */
  stderr?: boolean;
}

/** A wait that the engine has registered. */
export interface StartedWait {
  exit: Promise<ContainerWait>;
}

/** What to wait for: that the container is not running, that it stops the next time, or that it is removed. */
export type WaitCondition = "not-running" | "next-exit" | "removed";

/** Options of {@link Containers.putArchive}. */
export interface PutArchiveOptions extends CallOptions {
  /** Directory in the container to unpack into. */
  path: string;
  /** An uncompressed tar: engines have run a container's own decompressors as root. */
  body: Uint8Array | UploadSource;
  /** Fail rather than replace a directory with something else, or something else with a directory. Default false. */
  noOverwriteDirNonDir?: boolean;
}

/** Options of {@link Containers.putDirectory}. */
export interface PutDirectoryOptions extends CallOptions {
  /** Directory in the container to put the files into. */
  path: string;
  /** Local directory whose files and directories are copied. In the container they belong to root. */
  directory: string;
}

/** Calls on containers. A container is named by name or id. */
export class Containers {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes a container; without a name the engine chooses one. @throws EngineError `ENGINE_CONFLICT` when the name is taken. */
  async create(
    name: string | undefined,
    body: ContainerCreateBody,
    options: CreateContainerOptions = {},
  ): Promise<ContainerCreated> {
    const { platform, ...rest } = readOptions("containers.create()", options, containerKinds.create);
    return this.#transport.json({
      milliseconds: 120_000,
      ...rest,
      method: "POST",
      path: "/containers/create",
      query: { name: name === undefined ? undefined : containerSegment(name), platform },
      json: body,
    });
  }

  /** Starts a container; one that runs already is left as it is. */
  async start(id: string, options: CallOptions = {}): Promise<void> {
    await this.#post(id, "start", {}, options, 120_000);
  }

  /** Stops a container; one that is stopped already is left as it is. After `timeoutSeconds` (engine's default 10) it is killed. */
  async stop(id: string, options: CallOptions & { timeoutSeconds?: number } = {}): Promise<void> {
    const { timeoutSeconds, ...rest } = readOptions("containers.stop()", options, containerKinds.stop);
    const milliseconds = timeoutSeconds === -1 ? 0 : 120_000 + (timeoutSeconds ?? 0) * 1000;
    await this.#post(id, "stop", { t: timeoutSeconds }, rest, milliseconds);
  }

  /** Sends a signal, by default SIGKILL. */
  async kill(id: string, options: CallOptions & { unixSignal?: string } = {}): Promise<void> {
    const { unixSignal, ...rest } = readOptions("containers.kill()", options, containerKinds.kill);
    await this.#post(id, "kill", { signal: unixSignal }, rest);
  }

  /** Freezes all processes. */
  async pause(id: string, options: CallOptions = {}): Promise<void> {
    await this.#post(id, "pause", {}, options);
  }

  /** Lets frozen processes go on. */
  async unpause(id: string, options: CallOptions = {}): Promise<void> {
    await this.#post(id, "unpause", {}, options);
  }

  /** Removes a container; `force` also a running one, `volumes` also its anonymous volumes. */
  async remove(
    id: string,
    options: CallOptions & { force?: boolean; volumes?: boolean } = {},
  ): Promise<void> {
    const { force, volumes, ...rest } = readOptions("containers.remove()", options, containerKinds.remove);
    await this.#transport.send({
      milliseconds: 120_000,
      ...rest,
      method: "DELETE",
      path: `/containers/${containerSegment(id)}`,
      query: { v: volumes || undefined, force: force || undefined },
    });
  }

  /**
   * What the engine knows of a container; with `size` also how much space its files take.
   *
   * @throws EngineError `ENGINE_NOT_FOUND`.
   */
  async inspect(id: string, options: CallOptions & { size?: boolean } = {}): Promise<ContainerInspect> {
    const path = `/containers/${containerSegment(id)}/json`;
    const { size, ...rest } = readOptions("containers.inspect()", options, containerKinds.inspect);
    return this.#transport.json({ ...rest, method: "GET", path, query: { size: size || undefined } });
  }

  /**
   * The running containers. With `all` every container, with `limit` only that many of the last, with `size` also how
   * much space their files take.
   */
  async list(
    options: CallOptions & { all?: boolean; limit?: number; size?: boolean; filters?: Filters } = {},
  ): Promise<ContainerSummary[]> {
    const given = readOptions("containers.list()", options, containerKinds.list);
    const { all, limit, size, filters, ...rest } = given;
    return this.#transport.json({
      ...rest,
      method: "GET",
      path: "/containers/json",
      query: {
        all: all || undefined,
        limit,
        size: size || undefined,
        filters: encodeFilters(filters),
      },
    });
  }

  /** A container's output, as it was written. The call begins with the loop over it, and leaving the loop ends it. */
  async *logs(id: string, options: LogsOptions = {}): AsyncGenerator<LogChunk, void, undefined> {
    const path = `/containers/${containerSegment(id)}/logs`;
    const given = readOptions("containers.logs()", options, containerKinds.logs);
    const {
      stdout = true,
      stderr = true,
      tail,
      since,
      until,
      timestamps,
      follow,
      tty = false,
      ...rest
    } = given;
    const query = {
      ...{ stdout, stderr, tail, since: since?.toFixed(3), until: until?.toFixed(3) },
      ...{ timestamps: timestamps || undefined, follow: follow || undefined },
    };
    yield* readLogs(() => this.#transport.open({ ...rest, method: "GET", path, query }), tty);
  }

  /** Waits until a container stops (`next-exit`: for the next time), or is removed. No deadline unless given. */
  async wait(id: string, options: CallOptions & { condition?: WaitCondition } = {}): Promise<ContainerWait> {
    return (await this.startWait(id, options)).exit;
  }

  /**
   * The same in two steps: resolves when the engine has registered the wait. A container that is started after that is
   * not missed, even if it ends at once. No deadline unless given.
   */
  async startWait(
    id: string,
    options: CallOptions & { condition?: WaitCondition } = {},
  ): Promise<StartedWait> {
    const { condition, ...rest } = readOptions("containers.wait()", options, containerKinds.wait);
    const path = `/containers/${containerSegment(id)}/wait`;
    const call = { milliseconds: 0, ...rest, method: "POST" as const, path, query: { condition } };
    const exit = this.#transport.parse<ContainerWait>(await this.#transport.open(call));
    // The caller may fail to start the container before it awaits this.
    exit.catch(() => {});
    return { exit };
  }

  /**
   * Takes over the connection as a container's standard streams: what is read is its stdout, what is written its stdin.
   *
   * @throws EngineError `ENGINE_UPGRADE_REFUSED` when a proxy does not pass raw streams on.
   */
  async attach(id: string, options: AttachOptions = {}): Promise<ExecStream> {
    const given = readOptions("containers.attach()", options, containerKinds.attach);
    const { signal, milliseconds, stdin = false, stdout = true, stderr = true, ...stream } = given;
    const socket = await this.#transport.hijack({
      signal,
      milliseconds,
      method: "POST",
      path: `/containers/${containerSegment(id)}/attach`,
      query: { stream: true, stdin, stdout, stderr },
    });
    // It may break before its caller listens for errors.
    return holdStream(new ExecStream(id, socket, stream));
  }

  /** Tells a container's terminal how large it is. */
  async resize(id: string, options: CallOptions & { rows: number; columns: number }): Promise<void> {
    const { rows, columns, ...rest } = readOptions("containers.resize()", options, resizeKinds);
    const path = `/containers/${containerSegment(id)}/resize`;
    await this.#transport.send({ ...rest, method: "POST", path, query: { h: rows, w: columns } });
  }

  /** What is at a path in a container, running or not. @throws EngineError `ENGINE_NOT_FOUND`. */
  async statPath(id: string, path: string, options: CallOptions = {}): Promise<PathStat> {
    const call = readOptions("containers.statPath()", options, callKinds);
    const { body, headers, request } = await this.#transport.open({
      ...call,
      method: "HEAD",
      path: archivePath(id),
      query: { path },
    });
    await collect(body);
    return pathStatOf(headers, request);
  }

  /** A file or directory of a container, as a tar whose entries begin with the name of `path`; destroy it to stop early. */
  async getArchive(
    id: string,
    path: string,
    options: CallOptions = {},
  ): Promise<{ stat: PathStat; body: Readable }> {
    return getArchive(this.#transport, id, path, readOptions("containers.getArchive()", options, callKinds));
  }

  /**
   * Unpacks a tar into a container that has not been started: in a running one, the container's processes could change
   * paths while the engine looks them up.
   *
   * @throws InvalidArgumentError when the archive is compressed.
   */
  async putArchive(id: string, options: PutArchiveOptions): Promise<void> {
    const given = readOptions("containers.putArchive()", options, containerKinds.putArchive);
    const { path: target, body, noOverwriteDirNonDir, ...rest } = given;
    if (target === undefined || body === undefined)
      throw new InvalidArgumentError("containers.putArchive() needs the options path and body");
    if (!target.startsWith("/") || target.includes("\0")) {
      throw new InvalidArgumentError(`invalid path in the container: ${JSON.stringify(target)}`);
    }
    const call = {
      milliseconds: 60_000,
      ...rest,
      method: "PUT" as const,
      path: `/containers/${containerSegment(id)}/archive`,
      query: { path: target, noOverwriteDirNonDir: noOverwriteDirNonDir ? "true" : undefined },
      headers: { "content-type": "application/x-tar" },
    };
    const source = refuseCompressed(types.isUint8Array(body) ? once(body) : body);
    await this.#transport.upload(call, source, async (opened) => {
      await collect(opened.body);
    });
  }

  /**
   * Puts what is in a local directory into a container that has not been started (see {@link putArchive}).
   *
   * @throws InvalidArgumentError when there is no such directory.
   */
  async putDirectory(id: string, options: PutDirectoryOptions): Promise<void> {
    const given = readOptions("containers.putDirectory()", options, containerKinds.putDirectory);
    const { directory, ...rest } = given;
    if (directory === undefined)
      throw new InvalidArgumentError("containers.putDirectory() needs the option directory");
    const found = await stat(directory).catch(() => undefined);
    if (!found?.isDirectory()) throw new InvalidArgumentError(`no such directory: ${directory}`);
    const { pack } = await import("tar-fs");
    const body = pack(directory, { map: (header) => ({ ...header, uid: 0, gid: 0, uname: "", gname: "" }) });
    // A streamx readable, which is iterated like one of Node's.
    await this.putArchive(id, { ...rest, body: body as unknown as AsyncIterable<Uint8Array> });
  }

  async #post(
    id: string,
    verb: string,
    query: Record<string, string | number | undefined>,
    options: CallOptions,
    milliseconds?: number,
  ): Promise<void> {
    const path = `/containers/${containerSegment(id)}/${verb}`;
    const call = readOptions(`containers.${verb}()`, options, callKinds);
    await this.#transport.send({
      ...(milliseconds !== undefined && { milliseconds }),
      ...call,
      method: "POST",
      path,
      query,
    });
  }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}
