import { untilAborted } from "../core/index.js";
import { FileReadError, readBounded } from "../fs/index.js";
import { grpcCodes } from "../http2/index.js";
import { SessionError } from "./session-error.js";

/** Largest secret, in bytes (buildkit session/secrets/secretsprovider MaxSecretSize). */
export const maxSecretBytes = 500 * 1024;

interface Reading {
  content: Promise<Uint8Array>;
  stop: AbortController;
  /** How many wait for it. */
  waiting: number;
  isFifo: boolean;
  isOver: boolean;
}

/**
 * Reads the files of secrets. Steps that run side by side may ask for the same secret at once, and two readers of a fifo
 * would each get a part of it. So they share one reading. That of a fifo is kept, since it cannot be repeated.
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
  onPipe: () => void,
): Promise<Uint8Array> {
  try {
    return await readBounded(path, { limit: maxSecretBytes, signal, special: "pipe", onPipe });
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    const { errno, isMissing, reason } = error;
    const [code, text] =
      errno === "EFBIG"
        ? [grpcCodes.invalidArgument, `invalid secret size of secret ${id}: ${path}: ${reason}`]
        : [
            isMissing ? grpcCodes.notFound : grpcCodes.unknown,
            `failed to read the file of secret ${id}: ${path}: ${reason}`,
          ];
    throw new SessionError("SESSION_SECRET", text, { grpcCode: code, cause: error });
  }
}

/** The error for a secret above the limit. */
export function tooLarge(id: string, size: number): SessionError {
  return new SessionError("SESSION_SECRET", `invalid secret size ${size} of secret ${id}`, {
    grpcCode: grpcCodes.invalidArgument,
  });
}
