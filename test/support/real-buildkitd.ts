import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildkitClient, waitReady } from "../../src/buildkit/index.js";
import type { Dial } from "../../src/core/index.js";
import { EngineClient, execDial } from "../../src/engine-api/index.js";

/** A buildkitd of the test's own, which goes when it is disposed. */
export interface RealBuildkitd extends AsyncDisposable {
  readonly dial: Dial;
  connect(): Promise<BuildkitClient>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

/** The buildkitd that the testbed built; undefined where there is none (testbed/with exports TESTBED_BUILDKITD). */
async function buildkitdBinary(): Promise<string | undefined> {
  const cache = process.env["SLIPWAY_TESTBED_CACHE"] ?? "/var/cache/slipway-testbed";
  const path = process.env["TESTBED_BUILDKITD"] ?? join(cache, "bin/buildkitd");
  return access(path).then(
    () => path,
    () => undefined,
  );
}

/**
 * Starts a buildkitd: the testbed's own binary (as root, with runc) where there is one, otherwise the official image on
 * the engine.
 */
export async function realBuildkitd(): Promise<RealBuildkitd> {
  const binary = await buildkitdBinary();
  const host = process.env["DOCKER_HOST"];
  if (binary === undefined && !host) {
    throw new Error("there is neither a buildkitd nor an engine: run this by testbed/with");
  }
  const daemon = binary === undefined ? await fromImage(host as string) : await fromBinary(binary);
  try {
    await using _ = await waitReady(daemon.dial, {
      milliseconds: 60_000,
      onRetry: () => daemon.requireRunning(),
    });
    return {
      dial: daemon.dial,
      connect: () => BuildkitClient.connect(daemon.dial),
      kill: () => daemon.kill(),
      [Symbol.asyncDispose]: () => daemon.stop(),
    };
  } catch (error) {
    await daemon.stop();
    throw error;
  }
}

interface Running {
  dial: Dial;
  requireRunning(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

async function fromBinary(binary: string): Promise<Running> {
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
  const exited = once(child, "exit");
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  return {
    async dial() {
      const connection = createConnection(socket);
      await once(connection, "connect");
      return connection;
    },
    async requireRunning() {
      if (child.exitCode === null && child.signalCode === null) return;
      throw new Error(`buildkitd ended: ${Buffer.concat(output).toString()}`);
    },
    kill: () => end("SIGKILL"),
    async stop() {
      await end("SIGTERM");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function fromImage(host: string): Promise<Running> {
  const engine = EngineClient.open({ host });
  const image = "moby/buildkit:buildx-stable-1";
  await engine.images.pull(image);
  const { Id: id } = await engine.containers.create(undefined, {
    Image: image,
    HostConfig: { Privileged: true },
  });
  await engine.containers.start(id);
  return {
    dial: execDial(engine, id, ["buildctl", "dial-stdio"]),
    async requireRunning() {
      const { State } = await engine.containers.inspect(id);
      if (!State.Running) throw new Error(`the buildkitd container ended with ${State.ExitCode}`);
    },
    kill: () => engine.containers.kill(id),
    async stop() {
      await engine.containers.remove(id, { force: true, volumes: true });
      await engine.close();
    },
  };
}
