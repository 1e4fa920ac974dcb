import { stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { InvalidArgumentError, abortError, messageOf } from "../../core/index.js";
import { FileReadError, readBounded, systemReason } from "../../fs/index.js";
import { grpcCodes } from "../../http2/index.js";
import { SessionError } from "../session-error.js";
import {
  AgentMessageSplitter,
  SshReader,
  agentFailure,
  agentMessages,
  sshString,
  withLength,
} from "./agent-protocol.js";
import { type SshKey, parsePrivateKey } from "./private-key.js";

/** Largest key file taken, in bytes (buildkit sshprovider). */
const maxKeyFile = 100 * 1024;

/** Something that lists keys and signs with them. */
export interface SshAgent {
  /** Begins to talk; the signal ends it. */
  connect(signal: AbortSignal): Promise<SshAgentConnection>;
}

/** Messages are type and contents, without a length. */
export interface SshAgentConnection extends Disposable {
  request(message: Buffer): Promise<Buffer>;
}

/** An agent asked for: an id and where it is. Without paths it is the one of SSH_AUTH_SOCK. */
export interface SshAgentSpec {
  id: string;
  /** One socket of an agent, or files of private keys. */
  paths: readonly string[];
}

/** Reads `default`, `id`, `id=socket` or `id=key[,key…]` (buildx --ssh). */
export function parseSshSpec(text: string): SshAgentSpec {
  const cut = text.indexOf("=");
  if (cut < 0) return { id: text, paths: [] };
  return { id: text.slice(0, cut), paths: text.slice(cut + 1).split(",") };
}

/**
 * Finds the agents and loads the keys asked for, by id.
 * @throws InvalidArgumentError for one that cannot be used
 */
export async function loadSshAgents(
  specs: readonly SshAgentSpec[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Map<string, SshAgent>> {
  const agents = new Map<string, SshAgent>();
  for (const { id: given, paths } of specs) {
    const id = given === "" ? "default" : given;
    if (agents.has(id)) throw new InvalidArgumentError(`duplicate agent ID ${JSON.stringify(id)}`);
    agents.set(id, await loadAgent(paths, env["SSH_AUTH_SOCK"] ?? ""));
  }
  return agents;
}

async function loadAgent(given: readonly string[], socketPath: string): Promise<SshAgent> {
  const paths = given.filter((path) => path !== "");
  if (paths.length === 0) {
    if (socketPath === "") {
      throw new InvalidArgumentError(
        "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set, or name a socket or key files",
      );
    }
    paths.push(socketPath);
  }
  const keys: SshKey[] = [];
  for (const path of paths) {
    const bytes = await readKeyFile(path);
    if (bytes !== "socket") keys.push(parsePrivateKey(bytes, path));
    else if (paths.length > 1) {
      throw new InvalidArgumentError("only one ssh agent socket, or key files, may be given for an ID");
    } else return socketAgent(path);
  }
  return keyAgent(keys);
}

async function readKeyFile(path: string): Promise<Buffer | "socket"> {
  try {
    const stats = await stat(path);
    if (stats.isSocket()) return "socket";
    if (!stats.isFile()) throw new Error("it is neither a socket nor a file");
    return await readBounded(path, { limit: maxKeyFile });
  } catch (cause) {
    const reason = cause instanceof FileReadError ? cause.reason : systemReason(cause);
    throw new InvalidArgumentError(`ssh key or agent ${path} cannot be used: ${reason}`, { cause });
  }
}

/** Keys held in memory. */
export function keyAgent(keys: readonly SshKey[]): SshAgent {
  // Where a key lies is nothing that a step need know: it has no comment (BK session/sshforward/sshprovider).
  const identities = keys.map(({ blob }) => Buffer.concat([sshString(blob), sshString("")]));
  const count = Buffer.alloc(4);
  count.writeUInt32BE(keys.length, 0);
  const list = Buffer.concat([Buffer.from([agentMessages.identitiesAnswer]), count, ...identities]);
  const answer = (message: Buffer): Buffer => {
    if (message[0] === agentMessages.requestIdentities) return list;
    if (message[0] !== agentMessages.signRequest) return agentFailure;
    try {
      const reader = new SshReader(message.subarray(1));
      const blob = reader.string();
      const data = reader.string();
      const flags = reader.uint32();
      const found = keys.find((key) => key.blob.equals(blob));
      if (!found) return agentFailure;
      return Buffer.concat([Buffer.from([agentMessages.signResponse]), sshString(found.sign(data, flags))]);
    } catch {
      return agentFailure; // Malformed, or a key too small for the hash: an agent has no other words for it.
    }
  };
  const connection = { request: async (message: Buffer) => answer(message), [Symbol.dispose]: () => {} };
  return { connect: async () => connection };
}

/** The agent behind a socket. Errors name it (FLT-26). */
export function socketAgent(path: string): SshAgent {
  return { connect: (signal) => SocketConnection.open(path, signal) };
}

class SocketConnection implements SshAgentConnection {
  readonly #path: string;
  readonly #socket: Socket;
  readonly #splitter = new AgentMessageSplitter();
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  #failure: Error | undefined;
  #waiting: { resolve(message: Buffer): void; reject(error: Error): void } | undefined;

  static async open(path: string, signal: AbortSignal): Promise<SocketConnection> {
    const socket = connect(path);
    const connection = new SocketConnection(path, socket, signal);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("close", () => reject(connection.#failure ?? new Error("closed")));
    });
    return connection;
  }

  private constructor(path: string, socket: Socket, signal: AbortSignal) {
    this.#path = path;
    this.#socket = socket;
    this.#signal = signal;
    this.#onAbort = () => this.#fail(abortError(signal));
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
    socket.on("error", (error) => this.#fail(this.#error(messageOf(error), error)));
    socket.once("close", () => this.#fail(this.#error("it closed the connection")));
    socket.on("data", (chunk) => {
      try {
        for (const message of this.#splitter.push(chunk)) this.#take(message);
      } catch (error) {
        this.#fail(this.#error(messageOf(error), error));
      }
    });
  }

  request(message: Buffer): Promise<Buffer> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(withLength(message));
    });
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#failure ??= this.#error("the connection is closed");
    this.#socket.destroy();
  }

  #take(message: Buffer): void {
    const waiting = this.#waiting;
    if (!waiting) throw new Error("it answered without being asked");
    this.#waiting = undefined;
    waiting.resolve(message);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }

  #error(reason: string, cause?: unknown): SessionError {
    return new SessionError("SESSION_SSH_AGENT", `ssh agent ${this.#path}: ${reason}`, {
      grpcCode: grpcCodes.unavailable,
      cause,
    });
  }
}
