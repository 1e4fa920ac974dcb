import { close, constants, fstat, open, read } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";
import { messageOf, untilAborted } from "../core/index.js";
import { grpcCodes } from "../http2/index.js";
import { SessionError } from "./session-error.js";

/** Largest secret, in bytes (buildkit session/secrets/secretsprovider MaxSecretSize). */
export const maxSecretBytes = 500 * 1024;

// O_NONBLOCK: a thread that waits in open(2) or read(2) for a fifo's writer keeps the whole process from ending.
const openFlags = constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK;

interface Reading {
  content: Promise<Uint8Array>;
  stop: AbortController;
  /** How many wait for it. */
  waiting: number;
  isFifo: boolean;
  isOver: boolean;
}

/**
 * Reads the files of secrets. Steps side by side may ask for one at once, and two who read a fifo would get a part of it each: they
 * share a reading, and that of a fifo is kept, being the one possible.
 */
export class SecretFiles {
  readonly #readings = new Map<string, Reading>();

  /** The file of secret `id`. Given up when nobody waits for it any more. @throws SessionError, AbortedError */
  async read(id: string, path: string, signal: AbortSignal): Promise<Uint8Array> {
    const reading = this.#readings.get(id) ?? this.#start(id, path);
    reading.waiting++;
    try {
      return await untilAborted(signal, reading.content);
    } finally {
      reading.waiting--;
      if (reading.waiting === 0 && !(reading.isFifo && reading.isOver)) {
        reading.stop.abort();
        this.#readings.delete(id);
      }
    }
  }

  #start(id: string, path: string): Reading {
    const stop = new AbortController();
    const content = readFile(id, path, stop.signal, () => (reading.isFifo = true));
    const reading: Reading = { content, stop, waiting: 0, isFifo: false, isOver: false };
    const over = () => (reading.isOver = true);
    content.then(over, over);
    this.#readings.set(id, reading);
    return reading;
  }
}

async function readFile(
  id: string,
  path: string,
  signal: AbortSignal,
  onFifo: () => void,
): Promise<Uint8Array> {
  let fd: number;
  try {
    fd = await promisify(open)(path, openFlags);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new SessionError("SESSION_SECRET", `failed to open the file of secret ${id}: ${messageOf(error)}`, {
      grpcCode: missing ? grpcCodes.notFound : grpcCodes.unknown,
      cause: error,
    });
  }
  let isFifo = false;
  try {
    const stat = await promisify(fstat)(fd);
    isFifo = stat.isFIFO();
    if (!stat.isFile() && !isFifo)
      throw new SessionError("SESSION_SECRET", `secret ${id} is not a regular file: ${path}`);
    if (stat.size > maxSecretBytes) throw tooLarge(id, stat.size);
    if (!isFifo) return await readAll(id, fd);
  } finally {
    if (!isFifo) await promisify(close)(fd);
  }
  onFifo();
  return await readFifo(id, fd, signal);
}

/** Reads to the end, whatever size the file was said to have. */
async function readAll(id: string, fd: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(maxSecretBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await promisify(read)(fd, buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw tooLarge(id, length);
}

/** Waits for a writer, and reads until the last one has closed. Closes the descriptor. */
async function readFifo(id: string, fd: number, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of new Socket({ fd, writable: false, signal }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxSecretBytes) throw tooLarge(id, length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The error for a secret above the limit. */
export function tooLarge(id: string, size: number): SessionError {
  return new SessionError("SESSION_SECRET", `invalid secret size ${size} of secret ${id}`, {
    grpcCode: grpcCodes.invalidArgument,
  });
}
