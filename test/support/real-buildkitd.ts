import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildkitClient, waitReady } from "../../src/buildkit/index.js";
import type { Dial } from "../../src/core/index.js";

/** A buildkitd of its own, for tests that need no engine. */
export interface RealBuildkitd extends AsyncDisposable {
  readonly dial: Dial;
  readonly pid: number;
  connect(): Promise<BuildkitClient>;
  /** Everything it logged so far. */
  log(): string;
}

/** The buildkitd that the testbed built; undefined where there is none (testbed/with exports TESTBED_BUILDKITD). */
export async function buildkitdBinary(): Promise<string | undefined> {
  const cache = process.env["SLIPWAY_TESTBED_CACHE"] ?? "/var/cache/slipway-testbed";
  const path = process.env["TESTBED_BUILDKITD"] ?? join(cache, "bin/buildkitd");
  return access(path).then(
    () => path,
    () => undefined,
  );
}

/** Starts buildkitd (as root, with runc on the PATH) in a directory of its own, which goes when it ends. */
export async function realBuildkitd(binary: string): Promise<RealBuildkitd> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-buildkitd-"));
  const socket = join(directory, "s");
  const runc = fileURLToPath(new URL("../../testbed/lib/runc-without-resource-limits", import.meta.url));
  const child = spawn(
    binary,
    [
      `--root=${join(directory, "root")}`,
      `--addr=unix://${socket}`,
      `--oci-worker-binary=${runc}`,
      "--oci-worker-snapshotter=native",
      "--oci-worker-net=host",
      "--containerd-worker=false",
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const log = () => Buffer.concat(output).toString();
  let running = true;
  const exited = once(child, "exit").then(() => (running = false));
  const dial: Dial = async () => {
    const connection = createConnection(socket);
    await once(connection, "connect");
    return connection;
  };
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const client = await waitReady(dial, {
      milliseconds: 60_000,
      onRetry() {
        if (!running) throw new Error(`buildkitd ended: ${log()}`);
      },
    });
    await client.close();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    dial,
    pid: child.pid as number,
    log,
    connect: () => BuildkitClient.connect(dial),
    [Symbol.asyncDispose]: stop,
  };
}
