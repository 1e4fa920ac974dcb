import { grpcCodes } from "../../http2/index.js";
import { SessionError } from "../session-error.js";

/** Message types of the ssh agent protocol (draft-ietf-sshm-ssh-agent, 6.1). */
export const agentMessages = {
  failure: 5,
  requestIdentities: 11,
  identitiesAnswer: 12,
  signRequest: 13,
  signResponse: 14,
} as const;

/** Longest message, in bytes (OpenSSH's limit). */
export const maxAgentMessage = 256 * 1024;

/** An answer that says no, without its length. */
export const agentFailure = Buffer.from([agentMessages.failure]);

/** Cuts a stream of bytes into messages; each is its type and contents, without the length before it. */
export class AgentMessageSplitter {
  #pending: Buffer = Buffer.alloc(0);

  /** The messages that `chunk` completes. @throws SessionError for one that is too long or empty */
  push(chunk: Buffer): Buffer[] {
    // At most a message is held, and a daemon gains nothing by sending it in tiny pieces.
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const messages: Buffer[] = [];
    while (this.#pending.length >= 4) {
      const length = this.#pending.readUInt32BE(0);
      if (length === 0 || length > maxAgentMessage) {
        throw new SessionError("SESSION_SSH_AGENT", `ssh agent message of ${length} bytes`, {
          grpcCode: grpcCodes.invalidArgument,
        });
      }
      if (this.#pending.length < 4 + length) break;
      messages.push(this.#pending.subarray(4, 4 + length));
      this.#pending = this.#pending.subarray(4 + length);
    }
    return messages;
  }
}

/** A message with its length before it. */
export function withLength(message: Buffer): Buffer {
  return sshString(message);
}

/** `string` of the ssh protocols: length and bytes (RFC 4251, 5). */
export function sshString(value: Buffer | string): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  const framed = Buffer.allocUnsafe(4 + bytes.length);
  framed.writeUInt32BE(bytes.length, 0);
  bytes.copy(framed, 4);
  return framed;
}

/** `mpint` of the ssh protocols, from an unsigned number in big-endian bytes (RFC 4251, 5). */
export function sshMpint(unsigned: Buffer): Buffer {
  let start = 0;
  while (start < unsigned.length && unsigned[start] === 0) start++;
  const bytes = unsigned.subarray(start);
  return sshString((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}

/** Reads what {@link sshString} and its like write. */
export class SshReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @throws RangeError at the end */
  uint32(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** @throws RangeError when it is longer than what is left */
  string(): Buffer {
    const length = this.uint32();
    if (length > this.#bytes.length - this.#at) throw new RangeError("string is longer than its message");
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }
}
