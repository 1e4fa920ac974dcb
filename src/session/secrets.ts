import { secrets as wire } from "../buildkit/index.js";
import { grpcCodes } from "../http2/index.js";
import { variableBytes } from "../config/index.js";
import { readOptions } from "../core/index.js";
import { secretsKinds } from "./option-kinds.js";
import type { Attachable } from "./attachable.js";
import { SecretFiles, maxSecretBytes, tooLarge } from "./secret-files.js";
import { service } from "./service.js";
import { SessionError } from "./session-error.js";

/** Where a secret comes from. Nothing is read before the builder asks, and then each time that it does. */
export type SecretSource =
  /** A regular file, or a fifo such as a shell's `<(…)`; a fifo can be read only once, so what it held is kept. */
  | { type: "file"; path: string }
  | { type: "env"; name: string; env: Readonly<Record<string, string | undefined>> }
  | { type: "value"; value: Uint8Array }
  | { type: "callback"; read(signal: AbortSignal): Promise<Uint8Array | string> };

/** Options of {@link secrets}. */
export interface SecretsOptions {
  /** Called with every value before it is handed out, so that it can be kept out of messages and logs. What it throws, or rejects with, fails the call. */
  onSecret?: ((value: Uint8Array) => unknown) | undefined;
}

/**
 * Serves secrets by their id (moby.buildkit.secrets.v1.Secrets), byte for byte. The builder gets NotFound for any
 * other id, and nothing larger than 500 KiB.
 */
export function secrets(
  sources: ReadonlyMap<string, SecretSource>,
  options: SecretsOptions = {},
): Attachable {
  const { onSecret } = readOptions("secrets()", options, secretsKinds);
  const files = new SecretFiles();
  return service(wire.Secrets, {
    async getSecret({ ID }, call) {
      const source = sources.get(ID);
      const data = source && (await read(ID, source, call.signal, files));
      if (!data) {
        throw new SessionError("SESSION_NOT_FOUND", `secret ${ID} not found`, {
          grpcCode: grpcCodes.notFound,
        });
      }
      if (data.length > maxSecretBytes) throw tooLarge(ID, data.length);
      await onSecret?.(data);
      return { data };
    },
  });
}

async function read(
  id: string,
  source: SecretSource,
  signal: AbortSignal,
  files: SecretFiles,
): Promise<Uint8Array | undefined> {
  switch (source.type) {
    case "value":
      return source.value;
    case "env":
      // As BuildKit's own client (session/secrets/secretsprovider): one that is not set is an empty secret.
      return variableBytes(source.env, source.name) ?? Buffer.alloc(0);
    case "callback":
      return Buffer.from(await source.read(signal));
    default:
      return files.read(id, source.path, signal);
  }
}
