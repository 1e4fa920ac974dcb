import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a command line gave. */
export interface ClientResult {
  exitCode: number | null;
  stdout: Buffer;
  stderr: string;
}

/** One of two commands that are to do the same. */
export interface Client {
  name: "slipway" | "buildx";
  run(args: readonly string[], options?: ClientOptions): Promise<ClientResult>;
}

/** How a client is run. */
export interface ClientOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  input?: string | Uint8Array;
}

/** What Go's HTTP/2 server in buildx may print when its session ends, which is no part of an answer. */
const goLog = /^\d{4}\/\d\d\/\d\d \S+ http2: .*\n/gm;

const bundle =
  process.env["SLIPWAY_BUNDLE"] ?? fileURLToPath(new URL("../../dist/slipway.mjs", import.meta.url));

/** slipway, and buildx as its oracle, with the same store, engine and environment. */
export function twoClients(buildx: string, env: Readonly<Record<string, string>>) {
  const client = (name: Client["name"], file: string, first: readonly string[]): Client => ({
    name,
    run: (args, options = {}) =>
      runFile(file, [...first, ...args], { ...options, env: { ...env, ...options.env } }),
  });
  return {
    slipway: client("slipway", process.execPath, [bundle]),
    buildx: client("buildx", buildx, []),
  };
}

/** Like {@link Client.run}, for what must succeed. */
export async function succeed(
  client: Client,
  args: readonly string[],
  options?: ClientOptions,
): Promise<ClientResult> {
  const result = await client.run(args, options);
  if (result.exitCode !== 0)
    throw new Error(`${client.name} ${args.join(" ")}: exit code ${result.exitCode}\n${result.stderr}`);
  return result;
}

function runFile(
  file: string,
  args: readonly string[],
  { cwd, env, input }: ClientOptions,
): Promise<ClientResult> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { cwd, env: { ...process.env, ...env }, encoding: "buffer", maxBuffer: 1 << 30 },
      (_error, stdout, stderr) =>
        resolve({ exitCode: child.exitCode, stdout, stderr: stderr.toString().replace(goLog, "") }),
    );
    child.stdin?.on("error", () => {}); // a command need not read all of it
    child.stdin?.end(input);
  });
}
