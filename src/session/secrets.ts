import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { secrets as wire } from "../buildkit/index.js";
import { messageOf } from "../core/index.js";
import { grpcCodes } from "../http2/index.js";
import type { Attachable } from "./attachable.js";
import { service } from "./service.js";
import { SessionError } from "./session-error.js";

/** Largest secret, in bytes (buildkit session/secrets/secretsprovider MaxSecretSize). */
export const maxSecretBytes = 500 * 1024;

/** Where a secret comes from. Nothing is read before the builder asks, and then each time that it does. */
export type SecretSource =
  /** A regular file, or a fifo such as a shell's `<(…)`; of the latter the one possible reading is kept. */
  | { type: "file"; path: string }
  | { type: "env"; name: string; env: Readonly<Record<string, string | undefined>> }
  | { type: "value"; value: Uint8Array }
  | { type: "callback"; read(signal: AbortSignal): Promise<Uint8Array | string> };

/**
 * Serves secrets by their id (moby.buildkit.secrets.v1.Secrets), byte for byte. The builder gets NotFound for any
 * other id, and nothing larger than 500 KiB.
 */
export function secrets(sources: ReadonlyMap<string, SecretSource>): Attachable {
  const readings = new Map<string, Promise<Uint8Array>>();
  return service(wire.Secrets, {
    async getSecret({ ID }, call) {
      const source = sources.get(ID);
      const data = source && (await read(ID, source, call.signal, readings));
      if (!data) {
        throw new SessionError("SESSION_NOT_FOUND", `secret ${ID} not found`, {
          grpcCode: grpcCodes.notFound,
        });
      }
      if (data.length > maxSecretBytes) throw tooLarge(ID, data.length);
      return { data };
    },
  });
}

async function read(
  id: string,
  source: SecretSource,
  signal: AbortSignal,
  readings: Map<string, Promise<Uint8Array>>,
): Promise<Uint8Array | undefined> {
  switch (source.type) {
    case "value":
      return source.value;
    case "env": {
      const value = source.env[source.name];
      return value === undefined ? undefined : Buffer.from(value);
    }
    case "callback":
      return Buffer.from(await source.read(signal));
    default: {
      // Steps side by side ask at once; two who read a fifo would get a part of it each.
      const others = readings.get(id);
      if (others) return others;
      let isFifo = false;
      const reading = readFile(id, source.path, () => (isFifo = true));
      readings.set(id, reading);
      const forget = () => {
        if (!isFifo) readings.delete(id);
      };
      reading.then(forget, forget);
      return reading;
    }
  }
}

async function readFile(id: string, path: string, onFifo: () => void): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOCTTY);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new SessionError("SESSION_SECRET", `failed to open the file of secret ${id}: ${messageOf(error)}`, {
      grpcCode: missing ? grpcCodes.notFound : grpcCodes.unknown,
      cause: error,
    });
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile() && !stat.isFIFO()) {
      throw new SessionError("SESSION_SECRET", `secret ${id} is not a regular file: ${path}`);
    }
    if (stat.size > maxSecretBytes) throw tooLarge(id, stat.size);
    if (stat.isFIFO()) onFifo();
    return await readAll(id, file);
  } finally {
    await file.close();
  }
}

/** Reads to the end, whatever size the file was said to have. */
async function readAll(id: string, file: FileHandle): Promise<Uint8Array> {
  const buffer = Buffer.alloc(maxSecretBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw tooLarge(id, length);
}

function tooLarge(id: string, size: number): SessionError {
  return new SessionError("SESSION_SECRET", `invalid secret size ${size} of secret ${id}`, {
    grpcCode: grpcCodes.invalidArgument,
  });
}
