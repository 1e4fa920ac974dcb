import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkInputFile, dockerfileFromPipe, largestIgnoreFile } from "../../src/build/input-files.js";
import { resolveInputs } from "../../src/build/inputs.js";
import { parseOciLayout } from "../../src/build/oci-layout-context.js";
import { sourcePolicy } from "../../src/build/source-policy.js";
import { contextFromStdin, dockerfileFromStdin } from "../../src/build/stdin-context.js";
import { BuilderStore } from "../../src/builder/store.js";
import { runCommand } from "../../src/cli/run-command.js";
import { loadBuildkitdConfig } from "../../src/config/buildkitd-config.js";
import { editDockerConfig } from "../../src/config/docker-config-file.js";
import { loadDockerConfig } from "../../src/config/docker-config.js";
import { resolveDockerEndpoint } from "../../src/config/docker-context.js";
import { readTlsFiles } from "../../src/driver/remote/tls-files.js";
import { findDescriptor, putDescriptor } from "../../src/session/index.js";

/** Memory that reading one file may take above what there was, in MiB: the largest file that is taken has 32. */
const mostMebibytes = 256;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-endless-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

interface Reading {
  /** Where the file lies in a directory of the test's. */
  place: string;
  read: (path: string, signal: AbortSignal) => Promise<unknown>;
  /**
   * A pipe that nobody writes to is refused at once where a file lies under a name that slipway chooses, and waited for, until
   * the signal, where somebody named it.
   */
  pipe: "refused" | "waited for";
  /** The builder looks for it inside the directory, where `/dev/zero` is not. */
  optional?: boolean;
}

/** What docker's configuration says of a file that it leaves out. */
function toldOf({ problems }: { problems: readonly string[] }): void {
  if (problems.length > 0) throw new Error(problems.join());
}

const descriptor = { mediaType: "x", digest: `sha256:${"a".repeat(64)}`, size: 1 };
const contextId = createHash("sha256").update("ctx").digest("hex");

/** Everything of issue 14 that is read by a name that somebody else may have put something behind. */
const readings: Record<string, Reading> = {
  "index.json, looked up": {
    place: "index.json",
    read: (path) => findDescriptor(dirname(path), "t"),
    pipe: "refused",
  },
  "index.json of a context": {
    place: "index.json",
    read: (path) => parseOciLayout(`oci-layout://${dirname(path)}`),
    pipe: "refused",
  },
  "index.json, written": {
    place: "index.json",
    read: (path) => putDescriptor(dirname(path), descriptor, { tag: "t" }),
    pipe: "refused",
  },
  ".dockerignore": {
    place: ".dockerignore",
    read: (path) =>
      checkInputFile(dirname(path), ".dockerignore", { what: "failed to read", limit: largestIgnoreFile }),
    pipe: "refused",
    optional: true,
  },
  "Dockerfile of the context": {
    place: "Dockerfile",
    read: (path) => resolveInputs({ context: dirname(path) }, ""),
    pipe: "refused",
  },
  "a builder's file": {
    place: "instances/b",
    read: (path) => BuilderStore.open({}, { dir: dirname(dirname(path)) }).get("b"),
    pipe: "refused",
  },
  "docker context": {
    place: `contexts/meta/${contextId}/meta.json`,
    read: async () => resolveDockerEndpoint({ DOCKER_CONTEXT: "ctx" }, await loadDockerConfig({}, { dir })),
    pipe: "refused",
  },
  "certificate for the engine": {
    place: "ca.pem",
    read: async () => {
      const env = { DOCKER_TLS_VERIFY: "1", DOCKER_HOST: "tcp://127.0.0.1:1", DOCKER_CERT_PATH: dir };
      return resolveDockerEndpoint(env, await loadDockerConfig({}, { dir }));
    },
    pipe: "refused",
  },
  "--buildkitd-config": {
    place: "buildkitd.toml",
    read: (path, signal) => loadBuildkitdConfig(path, { signal }),
    pipe: "waited for",
  },
  "config.json": {
    place: "config.json",
    read: async (path, signal) => toldOf(await loadDockerConfig({}, { dir: dirname(path), signal })),
    pipe: "waited for",
  },
  "config.json, without a signal": {
    place: "config.json",
    read: async (path) => toldOf(await loadDockerConfig({}, { dir: dirname(path) })),
    pipe: "refused",
  },
  "config.json, changed": {
    place: "config.json",
    read: (path) => editDockerConfig({ DOCKER_CONFIG: dirname(path) }, (raw) => raw),
    pipe: "refused",
  },
  "certificate of the remote driver": {
    place: "ca.pem",
    read: (path) => readTlsFiles({ cacert: path }),
    pipe: "refused",
  },
  "key of the remote driver": {
    place: "key.pem",
    read: (path) => readTlsFiles({ cacert: path, key: path }),
    pipe: "refused",
  },
  "source policy": {
    place: "policy.json",
    read: (path, signal) => sourcePolicy({ EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: path }, signal),
    pipe: "waited for",
  },
  "history import": {
    place: "a.dockerbuild",
    read: (path, signal) => command(["history", "import", "--file", path], signal),
    pipe: "waited for",
  },
  "imagetools create -f": {
    place: "descriptor.json",
    read: (path, signal) => command(["imagetools", "create", "--dry-run", "--file", path], signal),
    pipe: "waited for",
  },
};

/** Runs a command line; what it prints on stderr is its error. */
async function command(args: readonly string[], signal: AbortSignal): Promise<void> {
  let text = "";
  const output = (take: (chunk: Buffer) => void) =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        take(chunk);
        done();
      },
    });
  const code = await runCommand(args, {
    env: { HOME: dir, DOCKER_CONFIG: join(dir, "docker"), BUILDX_CONFIG: join(dir, "store") },
    stdin: new PassThrough(),
    stdout: output(() => {}),
    stderr: output((chunk) => (text += chunk.toString())),
    signal,
  });
  if (code !== 0) throw Object.assign(new Error(text), { code });
}

/** How reading ended, and by how much memory grew meanwhile, in MiB. */
async function outcomeOf(read: () => Promise<unknown>): Promise<{ error: Error | undefined; grew: number }> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const look = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
  try {
    await read();
    return { error: undefined, grew: (peak - before) / 2 ** 20 };
  } catch (error) {
    return { error: error as Error, grew: (peak - before) / 2 ** 20 };
  } finally {
    clearInterval(look);
  }
}

describe("SEC-68 a file without an end, whatever its name", () => {
  test.each(Object.entries(readings))("%s", { timeout: 60_000 }, async (_name, reading) => {
    const path = join(dir, reading.place);
    await mkdir(dirname(path), { recursive: true });
    await symlink("/dev/zero", path);
    const never = new AbortController().signal;
    const { error, grew } = await outcomeOf(() => reading.read(path, never));
    if (reading.optional) expect(error).toBeUndefined();
    else expect(error?.message).toContain(path);
    expect(grew).toBeLessThan(mostMebibytes);

    await unlink(path);
    execFileSync("mkfifo", [path]);
    if (reading.pipe === "refused") {
      const refused = await outcomeOf(() => reading.read(path, never));
      expect(refused.error?.message).toContain(path);
      return;
    }
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    const ended = await outcomeOf(() => reading.read(path, stop.signal));
    expect(ended.error).toBeDefined();
  });

  test("a Dockerfile that is a device", async () => {
    const { error, grew } = await outcomeOf(() => dockerfileFromPipe("/dev/zero"));
    expect(error?.message).toContain("/dev/zero: it is larger than 16777216 bytes");
    expect(grew).toBeLessThan(mostMebibytes);
  });

  test.each([
    ["-f -", dockerfileFromStdin],
    ["build -", contextFromStdin],
  ])("standard input of %s", async (_name, read) => {
    const stdin = createReadStream("/dev/zero");
    try {
      const { error, grew } = await outcomeOf(() => read(stdin));
      expect(error?.message).toContain(
        "the Dockerfile from standard input: it is larger than 16777216 bytes",
      );
      expect(grew).toBeLessThan(mostMebibytes);
    } finally {
      stdin.destroy();
    }
  });
});
