import { stat } from "node:fs/promises";
import { type Environment, variableBytes } from "../config/index.js";
import { InvalidArgumentError, type Redactor, bytesOf, nameOf } from "../core/index.js";
import { describeSystemError, toBytes } from "../fs/index.js";
import { type SecretSource, maxSecretBytes } from "../session/index.js";
import type { SecretInput } from "./parse/secret.js";

/**
 * Secrets as the session serves them. Files are checked to be there now and read when asked for; environment variables
 * are read when asked for.
 *
 * @throws InvalidArgumentError that names the secret whose file is missing or too large.
 */
export async function secretSources(
  secrets: Readonly<Record<string, SecretInput | undefined>>,
  env: Environment,
  redactor: Redactor,
): Promise<Map<string, SecretSource>> {
  const sources = new Map<string, SecretSource>();
  for (const [id, input] of Object.entries(secrets)) {
    if (input === undefined) continue;
    const source = sourceOf(id, input, env);
    if (source.type === "file") await checkFile(id, source.path);
    if (source.type === "value") redactor.add(source.value);
    if (source.type === "env") redactor.add(variableBytes(env, source.name) ?? "");
    sources.set(id, source);
  }
  return sources;
}

function sourceOf(id: string, input: SecretInput, env: Environment): SecretSource {
  if (typeof input === "function") return { type: "callback", read: async () => valueOf(id, await input()) };
  const value = bytesOf(input);
  if (value) return { type: "value", value: Buffer.from(value) };
  const { file, env: name } = input as { file?: string; env?: string };
  if (file !== undefined && name === undefined) return { type: "file", path: file };
  if (name !== undefined && file === undefined) return { type: "env", name, env };
  throw new InvalidArgumentError(
    `the secret ${id} comes either from a file or from a variable of the environment`,
  );
}

/** What a program's callback gave. */
function valueOf(id: string, given: unknown): Uint8Array {
  const value = bytesOf(given);
  if (!value)
    throw new InvalidArgumentError(
      `the callback of secret ${id} must give a text or bytes, not ${nameOf(given)}`,
    );
  return value;
}

async function checkFile(id: string, path: string): Promise<void> {
  let size: number;
  try {
    ({ size } = await stat(path));
  } catch (error) {
    const reason = describeSystemError(error, toBytes(path));
    throw new InvalidArgumentError(`failed to stat ${reason} (the file of secret ${id})`, { cause: error });
  }
  if (size > maxSecretBytes)
    throw new InvalidArgumentError(
      `file ${path} of secret ${id} is too large: ${size} bytes, at most ${maxSecretBytes} are possible`,
    );
}
