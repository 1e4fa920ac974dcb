import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { type Environment, isJsonObject } from "../config/index.js";
import { parseJson, withDeadline } from "../core/index.js";
import { findProgram, programEnvironment } from "../fs/index.js";
import type { RegistryCredentials } from "./credentials.js";
import { RegistryError } from "./registry-error.js";

/** Options of {@link runCredentialHelper}. */
export interface CredentialHelperOptions {
  /** Environment of the helper; its PATH is searched. */
  env: Environment;
  /** How long it may take, ms. Default 30 s; then it is killed (FLT-25). */
  timeoutMilliseconds?: number;
  signal?: AbortSignal | undefined;
}

/** Longest answer of a helper, bytes. */
const maxOutputBytes = 1024 * 1024;
/** What helpers print, exiting non-zero, for a registry they do not know (docker-credential-helpers). */
const notFoundMessage = "credentials not found in native keychain";
/** User name that marks the secret as an identity token (docker/cli `tokenUsername`). */
const tokenUsername = "<token>";

/**
 * Asks `docker-credential-<suffix>` for the credentials stored under `key`; undefined when it has none. The program is
 * looked up in the absolute directories of PATH (SEC-35).
 *
 * @throws RegistryError `REGISTRY_CREDENTIAL_HELPER` naming the program, DeadlineError, AbortedError.
 */
export async function runCredentialHelper(
  suffix: string,
  key: string,
  options: CredentialHelperOptions,
): Promise<RegistryCredentials | undefined> {
  const { name, output } = await runHelper(suffix, "get", key, options);
  return output === undefined ? undefined : parseAnswer(name, output);
}

/**
 * Gives credentials to `docker-credential-<suffix>` to keep under `key`.
 *
 * @throws as {@link runCredentialHelper}
 */
export async function storeInHelper(
  suffix: string,
  key: string,
  { username, password }: { username: string; password: string },
  options: CredentialHelperOptions,
): Promise<void> {
  const input = JSON.stringify({ ServerURL: key, Username: username, Secret: password });
  await runHelper(suffix, "store", input, options);
}

/**
 * Has `docker-credential-<suffix>` forget what it keeps under `key`; nothing happens when that is nothing.
 *
 * @throws as {@link runCredentialHelper}
 */
export async function eraseFromHelper(
  suffix: string,
  key: string,
  options: CredentialHelperOptions,
): Promise<void> {
  await runHelper(suffix, "erase", key, options);
}

type HelperVerb = "get" | "store" | "erase";

/** Runs a helper to its end; without output when it knows no such registry. */
async function runHelper(
  suffix: string,
  verb: HelperVerb,
  input: string,
  options: CredentialHelperOptions,
): Promise<{ name: string; output?: string }> {
  const name = `docker-credential-${suffix}`;
  if (!/^[A-Za-z0-9_.-]+$/.test(suffix)) {
    throw new RegistryError(
      "REGISTRY_CREDENTIAL_HELPER",
      `invalid credential helper name ${JSON.stringify(suffix)}`,
    );
  }
  const program = await findProgram(name, options.env);
  if (program === undefined) {
    throw new RegistryError(
      "REGISTRY_CREDENTIAL_HELPER",
      `credential helper ${name} is not installed: not found in PATH`,
    );
  }
  const limit = options.timeoutMilliseconds ?? 30_000;
  const { exit, output } = await withDeadline(options.signal, limit, `credential helper ${name}`, (signal) =>
    run(program, { verb, input }, options.env, signal),
  );
  if (exit !== 0) {
    if (output.trim() === notFoundMessage && verb !== "store") return { name };
    // A helper that fails explains itself on stdout; anything that may be credentials is not passed on.
    const detail = /[{}"]/.test(output) ? "" : output.trim().slice(0, 200);
    throw new RegistryError(
      "REGISTRY_CREDENTIAL_HELPER",
      `credential helper ${name} failed with ${exit}${detail && `: ${detail}`}`,
    );
  }
  return { name, output };
}

function parseAnswer(name: string, output: string): RegistryCredentials {
  let answer: unknown;
  try {
    answer = parseJson(output);
  } catch {
    // The parser's message would quote the output.
    answer = undefined;
  }
  const { Username: username, Secret: secret } = isJsonObject(answer) ? answer : {};
  if (typeof secret !== "string" || (username !== undefined && typeof username !== "string")) {
    throw new RegistryError(
      "REGISTRY_CREDENTIAL_HELPER",
      `credential helper ${name} answered something that is not credentials`,
    );
  }
  if (username === tokenUsername) return { identityToken: secret };
  return { ...(username && { username }), ...(secret && { password: secret }) };
}

async function run(
  program: string,
  { verb, input }: { verb: HelperVerb; input: string },
  env: Environment,
  signal: AbortSignal,
): Promise<{ exit: number | NodeJS.Signals; output: string }> {
  const child = spawn(program, [verb], {
    env: programEnvironment(env),
    stdio: ["pipe", "pipe", "ignore"],
    windowsHide: true,
  });
  const kill = () => {
    child.kill("SIGKILL");
    // A grandchild may have inherited the pipe and would keep it open.
    child.stdout.destroy();
  };
  signal.addEventListener("abort", kill, { once: true });
  try {
    const exited = new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, name) => resolve(code ?? name ?? 1));
    });
    exited.catch(() => {});
    // A helper that exits without reading its input is judged by its answer.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const output = await collect(child.stdout, program);
    return { exit: await exited, output };
  } catch (error) {
    if (error instanceof RegistryError || signal.aborted) throw error;
    const message = `credential helper ${program} could not be run`;
    throw new RegistryError("REGISTRY_CREDENTIAL_HELPER", message, { cause: error });
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
  }
}

async function collect(stream: Readable, program: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxOutputBytes) {
      throw new RegistryError("REGISTRY_CREDENTIAL_HELPER", `credential helper ${program} printed too much`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
