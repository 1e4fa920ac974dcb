import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeEngine, stdcopyFrame as frame } from "../../test/support/fake-engine.js";
import { EngineClient } from "./client.js";

let fake: FakeEngine;
let engine: EngineClient;

beforeEach(async () => {
  fake = await FakeEngine.start();
  engine = EngineClient.open({ host: fake.host });
});

afterEach(async () => {
  await engine.close();
  await fake.idle();
  await fake.close();
});

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe("containers", () => {
  it("create sends name and body", async () => {
    let body: unknown;
    fake.on("POST", "/containers/create", async (call) => {
      body = await call.jsonBody();
      call.json({ Id: "abc", Warnings: [] }, 201);
    });
    const created = await engine.containers.create("c1", { Image: "i", HostConfig: { Privileged: true } });
    expect(created.Id).toBe("abc");
    expect(body).toEqual({ Image: "i", HostConfig: { Privileged: true } });
    expect(fake.calls.at(-1)?.query).toEqual({ name: "c1" });
  });

  it("remove says what goes with it", async () => {
    fake.on("DELETE", "/containers/:id", (call) => call.empty());
    await engine.containers.remove("c1");
    await engine.containers.remove("c1", { force: true, volumes: true });
    expect(fake.calls.slice(1).map(({ query }) => query)).toEqual([{}, { v: "1", force: "1" }]);
  });

  it("list, kill, pause, unpause, wait", async () => {
    fake.on("GET", "/containers/json", (call) => call.json([]));
    fake.on("POST", "/containers/:id/wait", (call) => call.json({ StatusCode: 7 }));
    for (const verb of ["kill", "pause", "unpause"])
      fake.on("POST", `/containers/:id/${verb}`, (call) => call.empty());
    await engine.containers.list({ all: true, filters: { name: ["a", "b"] } });
    expect(fake.calls.at(-1)?.query).toEqual({ all: "1", filters: '{"name":{"a":true,"b":true}}' });
    await engine.containers.kill("c1", { unixSignal: "SIGTERM" });
    expect(fake.calls.at(-1)?.query).toEqual({ signal: "SIGTERM" });
    await engine.containers.pause("c1");
    await engine.containers.unpause("c1");
    expect(await engine.containers.wait("c1", { condition: "next-exit" })).toEqual({ StatusCode: 7 });
    expect(fake.calls.at(-1)?.query).toEqual({ condition: "next-exit" });
  });

  it("a wait is there before the container starts", async () => {
    fake.on("POST", "/containers/:id/wait", ({ response }) => {
      response.writeHead(200).flushHeaders();
      response.socket?.once("close", () => {});
      fake.on("POST", "/containers/:id/start", (call) => {
        call.empty();
        response.end('{"StatusCode":3}');
      });
    });
    const { exit } = await engine.containers.startWait("c1", { condition: "removed" });
    await engine.containers.start("c1");
    expect(await exit).toEqual({ StatusCode: 3 });
  });

  it("a wait that breaks is told to whoever listens, and ends nothing otherwise", async () => {
    fake.on("POST", "/containers/:id/wait", (call) => {
      call.response.writeHead(200).flushHeaders();
      fake.on("POST", "/containers/:id/start", (start) => {
        start.empty();
        call.cut();
      });
    });
    const { exit } = await engine.containers.startWait("c1");
    await engine.containers.start("c1");
    await expect(exit).rejects.toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
  });

  it("attach takes over the standard streams", async () => {
    const said: string[] = [];
    fake.on("POST", "/containers/:id/attach", async (call) => {
      const socket = await call.hijack(Buffer.concat([frame(1, "out"), frame(2, "err")]));
      socket.once("data", (given: Buffer) => socket.end(frame(1, given)));
    });
    const onStderr = (data: Buffer) => void said.push(data.toString());
    const stream = await engine.containers.attach("c1", { stdin: true, onStderr });
    stream.write("in");
    const output = (await all(stream as AsyncIterable<Buffer>)).map(String).join("");
    expect([output, ...said]).toEqual(["outin", "err"]);
    expect(fake.calls.at(-1)?.query).toEqual({ stream: "1", stdin: "1", stdout: "1", stderr: "1" });
  });

  it("resize tells rows and columns", async () => {
    for (const path of ["/containers/:id/resize", "/exec/:id/resize"])
      fake.on("POST", path, (call) => call.empty(200));
    await engine.containers.resize("c1", { rows: 24, columns: 80 });
    expect(fake.calls.at(-1)?.query).toEqual({ h: "24", w: "80" });
    await engine.exec.resize("e1", { rows: 1, columns: 2 });
    expect(fake.calls.at(-1)).toMatchObject({ path: "/exec/e1/resize", query: { h: "1", w: "2" } });
  });

  const pathStat = {
    name: "dir",
    size: 4096,
    mode: 0x80_00_01_ed,
    mtime: "2026-01-01T00:00:00Z",
    linkTarget: "",
  };
  const statHeader = {
    "x-docker-container-path-stat": Buffer.from(JSON.stringify(pathStat)).toString("base64"),
  };

  it("statPath and getArchive tell what is at a path", async () => {
    fake.on(
      "HEAD",
      "/containers/:id/archive",
      ({ response }) => void response.writeHead(200, statHeader).end(),
    );
    fake.on(
      "GET",
      "/containers/:id/archive",
      ({ response }) => void response.writeHead(200, statHeader).end("tar"),
    );
    expect(await engine.containers.statPath("c1", "/dir")).toEqual(pathStat);
    expect(fake.calls.at(-1)?.query).toEqual({ path: "/dir" });
    const { stat, body } = await engine.containers.getArchive("c1", "/dir");
    expect(stat).toEqual(pathStat);
    expect((await all(body as AsyncIterable<Buffer>)).map(String)).toEqual(["tar"]);
  });

  it.each([
    undefined,
    "",
    "!",
    Buffer.from('{"name":"x"}').toString("base64"),
    Buffer.from("null").toString("base64"),
  ])("a path of which the engine says %j is an error, and leaves nothing open", async (header) => {
    fake.on("GET", "/containers/:id/archive", ({ response }) => {
      response
        .writeHead(200, header === undefined ? {} : { "x-docker-container-path-stat": header })
        .write("tar");
    });
    await expect(engine.containers.getArchive("c1", "/dir")).rejects.toMatchObject({
      code: "ENGINE_PROTOCOL",
    });
  });

  it("logs tell stdout from stderr", async () => {
    fake.on("GET", "/containers/:id/logs", ({ response }) => {
      response.end(Buffer.concat([frame(1, "out"), frame(2, "err")]));
    });
    const chunks = await all(engine.containers.logs("c1", { tail: 5 }));
    expect(chunks.map(({ stream, data }) => [stream, data.toString()])).toEqual([
      [1, "out"],
      [2, "err"],
    ]);
    expect(fake.calls.at(-1)?.query).toEqual({ stdout: "1", stderr: "1", tail: "5" });
  });

  it("logs of a terminal are not framed", async () => {
    fake.on("GET", "/containers/:id/logs", ({ response }) => void response.end("plain"));
    expect(await all(engine.containers.logs("c1", { tty: true }))).toEqual([
      { stream: 1, data: Buffer.from("plain") },
    ]);
  });

  it("logs that end inside a frame are an error", async () => {
    fake.on(
      "GET",
      "/containers/:id/logs",
      ({ response }) => void response.end(frame(1, "whole").subarray(0, 9)),
    );
    await expect(all(engine.containers.logs("c1"))).rejects.toMatchObject({ code: "ENGINE_PROTOCOL" });
  });

  it("leaving the loop over followed logs ends the call", async () => {
    fake.on("GET", "/containers/:id/logs", ({ response }) => void response.write(frame(1, "first")));
    for await (const chunk of engine.containers.logs("c1", { follow: true })) {
      expect(chunk.data.toString()).toBe("first");
      break;
    }
    await fake.closed(fake.calls.at(-1));
  });
});

describe("events", () => {
  const event = {
    Type: "container",
    Action: "start",
    Actor: { ID: "x", Attributes: {} },
    time: 1,
    timeNano: 1,
  };

  it("come as they happen; leaving the loop ends the call", async () => {
    fake.on("GET", "/events", (call) => call.lines([event], { open: true }));
    for await (const each of engine.events({ filters: { type: ["container"] }, since: 1 })) {
      expect(each).toEqual(event);
      break;
    }
    await fake.closed(fake.calls.at(-1));
    expect(fake.calls.at(-1)?.query).toEqual({ filters: '{"type":{"container":true}}', since: "1" });
  });

  it("throwing in the loop ends the call", async () => {
    fake.on("GET", "/events", (call) => call.lines([event], { open: true }));
    const failing = (async () => {
      for await (const each of engine.events()) throw new Error(each.Action);
    })();
    await expect(failing).rejects.toThrow("start");
    await fake.closed(fake.calls.at(-1));
  });

  it("end with their signal while none comes", async () => {
    const abort = new AbortController();
    fake.on("GET", "/events", (call) => call.lines([event], { open: true }));
    const failing = (async () => {
      for await (const each of engine.events({ signal: abort.signal })) abort.abort(each.Action);
    })();
    await expect(failing).rejects.toMatchObject({ code: "ABORTED", cause: "start" });
    await fake.closed(fake.calls.at(-1));
  });
});

describe("images", () => {
  it("of several platforms are saved and loaded in part, where the engine can", async () => {
    const platforms = ["amd64", "arm64"].map((architecture) => ({ os: "linux", architecture }));
    await using newer = await FakeEngine.start({ apiVersion: "1.52" });
    await using client = EngineClient.open({ host: newer.host });
    const queries: URLSearchParams[] = [];
    newer.on("GET", "/images/get", (call) => {
      queries.push(call.query);
      call.lines([]);
    });
    newer.on("POST", "/images/load", (call) => {
      queries.push(call.query);
      call.lines([{ stream: "Loaded image: a:1" }]);
    });
    (await client.images.save(["a:1", "b"], { platforms })).destroy();
    await client.images.load(Readable.from([Buffer.from("archive")]), { platforms });
    expect(queries[0]?.getAll("names")).toEqual(["a:1", "b"]);
    for (const query of queries)
      expect(query.getAll("platform").map((text) => JSON.parse(text) as unknown)).toEqual(platforms);
    expect(queries).toHaveLength(2);

    await using older = await FakeEngine.start({ apiVersion: "1.47" });
    await using old = EngineClient.open({ host: older.host });
    for (const count of [1, 2])
      await expect(old.images.save(["a"], { platforms: platforms.slice(0, count) })).rejects.toMatchObject({
        code: "ENGINE_VERSION",
      });
    expect(older.callsOf("GET", "/images/get")).toEqual([]);
  });

  it("pull sends name, tag, platform and credentials, and reports progress", async () => {
    fake.on("POST", "/images/create", (call) => call.lines([{ status: "Pulling" }, { status: "Done" }]));
    const seen: unknown[] = [];
    await engine.images.pull("reg:5000/a/b:1", {
      platform: "linux/arm64",
      registryAuth: { username: "u", password: "p" },
      onProgress: (message) => seen.push(message.status),
    });
    expect(seen).toEqual(["Pulling", "Done"]);
    const call = fake.calls.at(-1);
    expect(call?.query).toEqual({ fromImage: "reg:5000/a/b", tag: "1", platform: "linux/arm64" });
    const auth = Buffer.from(String(call?.headers["x-registry-auth"]), "base64url").toString();
    expect(JSON.parse(auth)).toEqual({ username: "u", password: "p" });
  });

  it("FLT-15 a pull that fails in the stream is an error", async () => {
    fake.on("POST", "/images/create", (call) =>
      call.lines([
        { status: "Pulling" },
        { errorDetail: { message: "manifest unknown" }, error: "manifest unknown" },
      ]),
    );
    await expect(engine.images.pull("a")).rejects.toMatchObject({
      code: "ENGINE_STREAM",
      engineMessage: "manifest unknown",
    });
    expect(fake.calls.at(-1)?.query).toEqual({ fromImage: "a", tag: "latest" });
    expect(fake.calls.at(-1)?.headers["x-registry-auth"]).toBeUndefined();
  });

  it("inspect, tag, list, remove", async () => {
    fake.on("GET", /^\/images\/(?<name>.+)\/json$/, (call) => call.json({ Id: call.params["name"] }));
    fake.on("GET", "/images/json", (call) => call.json([]));
    fake.on("POST", /^\/images\/(?<name>.+)\/tag$/, (call) => call.empty(201));
    fake.on("DELETE", /^\/images\/(?<name>.+)$/, (call) => call.json([{ Untagged: "a:1" }]));
    expect((await engine.images.inspect("reg:5000/a/b:1")).Id).toBe("reg:5000/a/b:1");
    await engine.images.tag("sha256:abc", "reg:5000/x:2");
    expect(fake.calls.at(-1)).toMatchObject({
      path: "/images/sha256:abc/tag",
      query: { repo: "reg:5000/x", tag: "2" },
    });
    expect(await engine.images.list({ filters: { reference: ["a"] }, manifests: true })).toEqual([]);
    expect(fake.calls.at(-1)?.query).toEqual({ filters: '{"reference":{"a":true}}', manifests: "1" });
    expect(await engine.images.remove("a:1", { force: true, noPrune: true })).toEqual([{ Untagged: "a:1" }]);
    expect(fake.calls.at(-1)?.query).toEqual({ force: "1", noprune: "1" });
  });

  it("save streams several images", async () => {
    fake.on("GET", "/images/get", ({ response }) => void response.end("archive"));
    const body = await engine.images.save(["a:1", "b"]);
    expect(Buffer.concat(await all(body as AsyncIterable<Buffer>)).toString()).toBe("archive");
    expect(fake.calls.at(-1)?.query).toEqual({ names: "b" });
    await expect(engine.images.save([])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("MEM-3 save waits for its reader", async () => {
    let sent = 0;
    let draining = false;
    fake.on("GET", "/images/get", ({ response }) => {
      const block = Buffer.alloc(64 * 1024);
      const more = () => {
        while (sent < 512 && ((sent += 1), response.write(block)));
        if (sent < 512) response.once("drain", more);
        else response.end();
        draining = true;
      };
      more();
    });
    const body = await engine.images.save(["a"]);
    await new Promise((resolve) => body.once("readable", resolve));
    // Turns of the loop, in which an unbounded reader would have taken everything.
    for (let i = 0; i < 2_000; i++) await new Promise(setImmediate);
    expect(draining).toBe(true);
    expect(sent).toBeLessThan(64);
    body.destroy();
    await fake.closed(fake.calls.at(-1));
  });
});

describe("volumes and networks", () => {
  it("volumes", async () => {
    fake.on("POST", "/volumes/create", async (call) => call.json(await call.jsonBody(), 201));
    fake.on("GET", "/volumes", (call) => call.json({ Volumes: null }));
    fake.on("GET", "/volumes/:name", (call) => call.json({ Name: call.params["name"] }));
    fake.on("DELETE", "/volumes/:name", (call) => call.refuse(409, "volume is in use"));
    expect((await engine.volumes.create({ Name: "v1" })).Name).toBe("v1");
    expect(await engine.volumes.list()).toEqual([]);
    expect((await engine.volumes.inspect("v1")).Name).toBe("v1");
    await expect(engine.volumes.remove("v1")).rejects.toMatchObject({ code: "ENGINE_CONFLICT" });
  });

  it("networks", async () => {
    let body: unknown;
    fake.on("POST", "/networks/create", async (call) => {
      body = await call.jsonBody();
      call.json({ Id: "n1" }, 201);
    });
    fake.on("GET", "/networks", (call) => call.json([{ Id: "n1" }]));
    fake.on("GET", "/networks/:id", (call) => call.json({ Id: call.params["id"] }));
    fake.on("DELETE", "/networks/:id", (call) => call.empty());
    expect((await engine.networks.create({ Name: "net" })).Id).toBe("n1");
    expect(body).toEqual({ CheckDuplicate: true, Name: "net" });
    expect(await engine.networks.list()).toEqual([{ Id: "n1" }]);
    expect((await engine.networks.inspect("n1")).Id).toBe("n1");
    await engine.networks.remove("n1");
  });
});

it("ping, info and version", async () => {
  fake.on("GET", "/info", (call) =>
    call.json({ ID: "X", CgroupDriver: "cgroupfs", DriverStatus: [["a", "b"]] }),
  );
  fake.on("GET", "/version", (call) => call.json({ Version: "20.10.24" }));
  fake.on("GET", "/_ping", ({ response }) => {
    response.writeHead(200, { "api-version": "1.41", ostype: "linux", "builder-version": "1" }).end("OK");
  });
  expect(await engine.ping()).toEqual({ apiVersion: "1.41", osType: "linux", builderVersion: "1" });
  expect((await engine.info()).CgroupDriver).toBe("cgroupfs");
  expect((await engine.version()).Version).toBe("20.10.24");
  expect(engine.isLocalSocket).toBe(true);
});
