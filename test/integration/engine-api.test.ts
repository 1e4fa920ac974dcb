import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import tar from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EngineClient, type EngineEvent, execDial } from "../../src/engine-api/index.js";
import { engineEnv } from "../support/engine-env.js";

const env = engineEnv();
const image = `${env.registry}/library/busybox:latest`;
// Podman 4.3 answers 500 where the API has 409, and takes an archive for a directory that is not there.
const podman = env.engine === "podman";
const conflict = podman ? { code: "ENGINE_STATUS", status: 500 } : { code: "ENGINE_CONFLICT", status: 409 };
const id = randomBytes(4).toString("hex");
const name = (what: string) => `slipway-engine-api-${id}-${what}`;

let engine: EngineClient;

beforeAll(async () => {
  engine = EngineClient.open({ host: env.dockerHost });
  await engine.images.pull(image);
});

afterAll(async () => {
  for (const what of ["run", "exec", "archive", "directory", "logs", "events"]) {
    await engine.containers.remove(name(what), { force: true, volumes: true }).catch(() => {});
  }
  await engine.volumes.remove(name("volume")).catch(() => {});
  await engine.networks.remove(name("network")).catch(() => {});
  await engine.close();
});

async function started(what: string, Cmd: string[]): Promise<string> {
  const { Id } = await engine.containers.create(name(what), {
    Image: image,
    Cmd,
    HostConfig: { NetworkMode: "none", Init: true },
  });
  await engine.containers.start(Id);
  return Id;
}

describe("the engine", () => {
  it("tells of itself", async () => {
    const [ping, info, version] = await Promise.all([engine.ping(), engine.info(), engine.version()]);
    expect(ping.osType).toBe(podman ? undefined : "linux");
    expect(info.ID).not.toBe("");
    expect(info.OSType).toBe("linux");
    expect(info.Architecture).toMatch(/^(x86_64|aarch64|amd64|arm64)$/);
    expect(["cgroupfs", "systemd", "none"]).toContain(info.CgroupDriver);
    expect(info.ServerVersion).toBe(version.Version);
    expect(Array.isArray(info.DriverStatus)).toBe(true);
    expect(Object.keys(info.Runtimes ?? {})).not.toEqual([]);
  });

  it("tells of what happens, until the loop is left", async () => {
    const seen: EngineEvent[] = [];
    // From before the call, since it begins only with the loop.
    const since = Math.floor(Date.now() / 1000) - 1;
    const filters = { type: ["container"], event: ["create"], container: [name("events")] };
    const watching = (async () => {
      for await (const event of engine.events({ filters, since })) {
        seen.push(event);
        break;
      }
    })();
    const { Id } = await engine.containers.create(name("events"), { Image: image, Cmd: ["true"] });
    await watching;
    expect(seen[0]).toMatchObject({ Type: "container", Action: "create", Actor: { ID: Id } });
  });
});

describe("containers", () => {
  it("live from creation to removal", async () => {
    const Id = await started("run", ["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"]);
    const inspect = await engine.containers.inspect(name("run"));
    expect(inspect).toMatchObject({
      Id,
      Name: `/${name("run")}`,
      State: { Status: "running", Running: true },
    });
    expect(inspect.State.Pid).toBeGreaterThan(0);
    await engine.containers.start(Id);
    expect(
      (await engine.containers.list({ filters: { name: [name("run")] } })).map((each) => each.Id),
    ).toEqual([Id]);

    await expect(engine.containers.create(name("run"), { Image: image })).rejects.toMatchObject(conflict);
    await engine.containers.pause(Id);
    expect((await engine.containers.inspect(Id)).State.Status).toBe("paused");
    await expect(engine.run(Id, ["true"])).rejects.toMatchObject({ code: "ENGINE_CONFLICT", status: 409 });
    await engine.containers.unpause(Id);

    const waiting = engine.containers.wait(Id, { condition: "not-running" });
    await engine.containers.stop(Id, { timeoutSeconds: 20 });
    await engine.containers.stop(Id);
    expect((await waiting).StatusCode).toBe(7);
    await engine.containers.remove(Id, { volumes: true });
    await expect(engine.containers.inspect(Id)).rejects.toMatchObject({
      code: "ENGINE_NOT_FOUND",
      status: 404,
    });
  });

  it("have logs of both streams", async () => {
    const Id = await started("logs", ["sh", "-c", "echo one; echo two >&2; echo three"]);
    await engine.containers.wait(Id);
    const text = { 1: "", 2: "" };
    for await (const { stream, data } of engine.containers.logs(Id)) text[stream] += data.toString();
    expect(text).toEqual({ 1: "one\nthree\n", 2: "two\n" });
    let tail = "";
    for await (const { data } of engine.containers.logs(Id, { tail: 1 })) tail += data.toString();
    expect(tail).toMatch(/^(one|two|three)\n$/);
  });

  it("SEC-10 take an archive before they are started", async () => {
    const { Id } = await engine.containers.create(name("archive"), {
      Image: image,
      Cmd: ["sh", "-c", "cat /etc/buildkit/a.toml; stat -c %a /etc/buildkit /etc/buildkit/a.toml"],
    });
    const pack = tar.pack();
    pack.entry({ name: "buildkit/", type: "directory", mode: 0o755 });
    pack.entry({ name: "buildkit/a.toml", mode: 0o644 }, "debug = true\n");
    pack.finalize();
    await engine.containers.putArchive(Id, {
      path: "/etc",
      body: pack as AsyncIterable<Uint8Array>,
      noOverwriteDirNonDir: true,
    });
    const missing = engine.containers.putArchive(Id, { path: "/nowhere", body: Buffer.alloc(1024) });
    if (podman) await missing;
    else await expect(missing).rejects.toMatchObject({ code: "ENGINE_NOT_FOUND" });
    await engine.containers.start(Id);
    expect((await engine.containers.wait(Id)).StatusCode).toBe(0);
    let text = "";
    for await (const { data } of engine.containers.logs(Id)) text += data.toString();
    expect(text).toBe("debug = true\n755\n644\n");
  });

  it("take a directory of files", async () => {
    const { Id } = await engine.containers.create(name("directory"), {
      Image: image,
      Cmd: ["sh", "-c", "cd /srv && find . | sort && cat sub/file && stat -c %u sub/file"],
    });
    const directory = await mkdtemp(path.join(tmpdir(), "slipway-put-"));
    await mkdir(path.join(directory, "srv", "sub"), { recursive: true });
    await writeFile(path.join(directory, "srv", "sub", "file"), "content\n");
    try {
      await engine.containers.putDirectory(Id, { path: "/", directory });
    } finally {
      await rm(directory, { recursive: true });
    }
    await engine.containers.start(Id);
    await engine.containers.wait(Id);
    let text = "";
    for await (const { data } of engine.containers.logs(Id)) text += data.toString();
    expect(text).toBe(".\n./sub\n./sub/file\ncontent\n0\n");
    await expect(engine.containers.putDirectory(Id, { path: "/", directory })).rejects.toThrow(
      `no such directory: ${directory}`,
    );
  });
});

describe("exec", () => {
  let container: string;

  beforeAll(async () => {
    container = await started("exec", ["sleep", "1000"]);
  });

  const processes = async () => (await engine.run(container, ["ps", "-o", "args"])).stdout.toString();

  it("runs a process to its end", async () => {
    const script = "echo out; echo err >&2; cat; exit 3";
    const result = await engine.run(container, ["sh", "-c", script], { stdin: "in\n" });
    expect({ ...result, stdout: result.stdout.toString(), stderr: result.stderr.toString() }).toEqual({
      exitCode: 3,
      stdout: "out\nin\n",
      stderr: "err\n",
    });
  });

  it("FLT-17 a run has a deadline", async () => {
    await expect(engine.run(container, ["sleep", "100"], { milliseconds: 500 })).rejects.toMatchObject({
      code: "DEADLINE",
    });
  });

  it("carries 64 MiB there and back, and half-close ends it", async () => {
    const exec = await engine.exec.create(container, { cmd: ["cat"], attachStdin: true });
    const stream = await engine.exec.start(exec);
    const [sent, got] = [createHash("sha256"), createHash("sha256")];
    const writing = (async () => {
      for (let i = 0; i < 64; i++) {
        const chunk = randomBytes(1024 * 1024);
        sent.update(chunk);
        if (!stream.write(chunk)) await once(stream, "drain");
      }
      stream.end();
    })();
    let length = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      got.update(chunk);
      length += chunk.length;
    }
    await writing;
    expect(length).toBe(64 * 1024 * 1024);
    expect(got.digest("hex")).toBe(sent.digest("hex"));
    expect(await engine.exec.exitCode(exec)).toBe(0);
  });

  it("FLT-11 a dial that is ended leaves no process behind", async () => {
    const stream = await execDial(engine, container, ["sh", "-c", "cat; : dialled"], {
      speaks: "anything",
    })();
    stream.write("ping");
    expect(String(((await once(stream, "data")) as [Buffer])[0])).toBe("ping");
    expect(await processes()).toContain(": dialled");
    stream.end();
    await once(stream, "close");
    await expect.poll(processes).not.toContain(": dialled");
  });

  it("FLT-13 a dial to a program that is not there tells so", async () => {
    const stream = await execDial(engine, container, ["no-such-program", "dial-stdio"])();
    stream.on("data", () => {}).write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const [error] = (await once(stream, "error")) as [Error];
    expect(error).toMatchObject({ code: "ENGINE_EXEC" });
    expect((error as { exitCode?: number }).exitCode).toBeGreaterThan(0);
    expect(error.message).toContain("no-such-program");
  });

  it("FLT-13 a dial to a program that fails tells how", async () => {
    const stream = await execDial(engine, container, ["sh", "-c", "echo 'no socket' >&2; exit 9"])();
    stream.on("data", () => {});
    const [error] = (await once(stream, "error")) as [Error];
    expect(error).toMatchObject({ code: "ENGINE_EXEC", exitCode: 9, stderr: "no socket" });
  });

  it("FLT-14 a container that is not running refuses", async () => {
    const { Id } = await engine.containers.create(undefined, { Image: image, Cmd: ["true"] });
    await expect(engine.exec.create(Id, { cmd: ["true"] })).rejects.toMatchObject(conflict);
    await engine.containers.remove(Id);
  });
});

describe("images", () => {
  const copy = `slipway.example/${name("copy")}`;

  it("a pull reports progress, its failures are errors", async () => {
    const statuses: string[] = [];
    await engine.images.pull(image, { onProgress: (message) => statuses.push(message.status ?? "") });
    expect(statuses.join("\n")).toContain(podman ? "Download complete" : "Digest: sha256:");
    await expect(engine.images.pull(`${env.registry}/library/absent:1`)).rejects.toMatchObject({
      name: "EngineError",
      engineMessage: expect.stringMatching(/not found|unknown/) as string,
    });
  });

  it("are inspected, tagged, saved, removed and loaded again", async () => {
    const inspect = await engine.images.inspect(image);
    expect(inspect.RootFS.Layers?.[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(inspect.RepoDigests?.[0]).toMatch(/@sha256:[0-9a-f]{64}$/);
    await engine.images.tag(image, `${copy}:1`);
    expect((await engine.images.inspect(`${copy}:1`)).Id).toBe(inspect.Id);
    const listed = await engine.images.list({ filters: { reference: [`${copy}:1`] } });
    expect(listed.map((each) => each.RepoTags)).toEqual([expect.arrayContaining([`${copy}:1`])]);

    const archive: Buffer[] = [];
    for await (const chunk of (await engine.images.save([`${copy}:1`])) as AsyncIterable<Buffer>)
      archive.push(chunk);
    const removed = await engine.images.remove(`${copy}:1`);
    expect(removed).toContainEqual({ Untagged: `${copy}:1` });
    await expect(engine.images.inspect(`${copy}:1`)).rejects.toMatchObject({ code: "ENGINE_NOT_FOUND" });

    const messages = await engine.images.load(Readable.from(archive, { objectMode: true }));
    expect(messages.map((message) => message.stream).join("")).toContain(`${copy}:1`);
    expect((await engine.images.inspect(`${copy}:1`)).Id).toBe(inspect.Id);
    await engine.images.remove(`${copy}:1`);
  });

  it("FLT-23 an archive that is none is an error", async () => {
    await expect(engine.images.load(Readable.from([randomBytes(64 * 1024)]))).rejects.toMatchObject({
      name: "EngineError",
    });
  });
});

describe("volumes and networks", () => {
  it("volumes", async () => {
    const volume = await engine.volumes.create({ Name: name("volume"), Labels: { a: "b" } });
    expect(await engine.volumes.inspect(name("volume"))).toMatchObject({
      Name: volume.Name,
      Labels: { a: "b" },
    });
    expect(
      (await engine.volumes.list({ filters: { name: [name("volume")] } })).map((each) => each.Name),
    ).toEqual([name("volume")]);
    await engine.volumes.remove(name("volume"));
    await expect(engine.volumes.inspect(name("volume"))).rejects.toMatchObject({ code: "ENGINE_NOT_FOUND" });
  });

  it("networks", async () => {
    const { Id } = await engine.networks.create({ Name: name("network"), Driver: "bridge" });
    expect(await engine.networks.inspect(name("network"))).toMatchObject({ Id, Driver: "bridge" });
    expect(
      (await engine.networks.list({ filters: { name: [name("network")] } })).map((each) => each.Id),
    ).toEqual([Id]);
    await engine.networks.remove(Id);
    await expect(engine.networks.inspect(Id)).rejects.toMatchObject({ code: "ENGINE_NOT_FOUND" });
  });
});
