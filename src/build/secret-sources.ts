import { stat } from "node:fs/promises";
import type { Environment } from "../config/index.js";
import { InvalidArgumentError, type Redactor } from "../core/index.js";
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
  secrets: Readonly<Record<string, SecretInput>>,
  env: Environment,
  redactor: Redactor,
): Promise<Map<string, SecretSource>> {
  const sources = new Map<string, SecretSource>();
  for (const [id, input] of Object.entries(secrets)) {
    if (typeof input === "object" && "file" in input) await checkFile(id, input.file);
    if (typeof input === "string" || input instanceof Uint8Array) redactor.add(input);
    else if (typeof input === "object" && "env" in input) redactor.add(env[input.env] ?? "");
    sources.set(id, sourceOf(input, env));
  }
  return sources;
}

function sourceOf(input: SecretInput, env: Environment): SecretSource {
  if (typeof input === "function") return { type: "callback", read: async () => input() };
  if (typeof input === "string" || input instanceof Uint8Array)
    return { type: "value", value: Buffer.from(input) };
  if ("file" in input) return { type: "file", path: input.file };
  return { type: "env", name: input.env, env };
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
