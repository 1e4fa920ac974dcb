import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PassThrough, Readable } from "node:stream";
import { afterEach, describe, expect, test, vi } from "vitest";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FakeBuildkitd } from "../../test/support/fake-buildkitd.js";
import { BuildkitClient, secrets as secretsWire } from "../buildkit/index.js";
import { GrpcError, frameHead, frameMessage, grpcCodes } from "../http2/index.js";
import type { Attachable } from "./attachable.js";
import { auth } from "./auth/index.js";
import { healthMethods } from "./health.js";
import { secrets } from "./secrets.js";
import { Session } from "./session.js";
import { upload } from "./upload.js";

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function open(attachables: Attachable[], options: { signal?: AbortSignal } = {}) {
  const daemon = new FakeBuildkitd();
  cleanUps.push(() => daemon[Symbol.asyncDispose]());
  const client = await BuildkitClient.connect(daemon.dial);
  cleanUps.push(() => client.close());
  const session = await Session.open(client, { attachables, sharedKey: "key", ...options });
  cleanUps.push(() => session.close());
  return { daemon, client, session, remote: await daemon.session() };
}

const echo: Attachable = {
  methods: ["/test.Echo/DiffCopy"],
  async handle(call) {
    for await (const message of call.messages()) {
      if (!call.write(frameMessage(message))) await call.drained();
    }
  },
};

describe("Session", () => {
  test("advertises its id, key and every method on its own", async () => {
    const { remote, session } = await open([echo, upload(new Map())]);
    expect(remote.id).toBe(session.id);
    expect(session.id).toMatch(/^[0-9a-z]{25}$/);
    expect(remote.sharedKey).toBe("key");
    expect(remote.methods).toEqual([
      "/grpc.health.v1.Health/Check",
      "/grpc.health.v1.Health/List",
      "/grpc.health.v1.Health/Watch",
      "/test.Echo/DiffCopy",
      "/moby.upload.v1.Upload/Pull",
    ]);
  });

  test("serves a method in any case", async () => {
    const { remote } = await open([echo]);
    const { status, response } = await remote.unary("/test.Echo/diffcopy", Buffer.from("hello"));
    expect(status.code).toBe(grpcCodes.ok);
    expect(response?.toString()).toBe("hello");
  });

  test("MEM-5 a message of 16 MiB is taken, and a larger one refused by its length alone", async () => {
    const most = Buffer.alloc(16 * 1024 * 1024, 7);
    const { remote } = await open([echo, secrets(new Map()), auth({ env: {} })]);
    const { response, status } = await remote.unary("/test.Echo/DiffCopy", most);
    expect(status.code).toBe(grpcCodes.ok);
    expect(response?.equals(most)).toBe(true);
    for (const method of remote.methods.filter((name) => !healthMethods.includes(name))) {
      const call = await remote.call(method);
      call.stream.write(frameHead(most.length + 1));
      expect((await call.status).code, method).toBe(grpcCodes.resourceExhausted);
    }
  });

  test("an unknown method is UNIMPLEMENTED", async () => {
    const { remote } = await open([echo]);
    const { status } = await remote.unary("/moby.exporter.v1.Exporter/FinalizeExport", Buffer.alloc(0));
    expect(status.code).toBe(grpcCodes.unimplemented);
  });

  test("an error of a handler becomes the status; a plain one is UNKNOWN", async () => {
    const failing: Attachable = {
      methods: ["/test.A/Typed", "/test.A/Plain"],
      async handle(call) {
        if (call.path === "/test.A/Plain") throw new Error("broken");
        throw new GrpcError(grpcCodes.alreadyExists, "target already exists");
      },
    };
    const { remote } = await open([failing]);
    const typed = await remote.unary("/test.A/Typed", Buffer.alloc(0));
    expect(typed.status).toMatchObject({ code: grpcCodes.alreadyExists, message: "target already exists" });
    const plain = await remote.unary("/test.A/Plain", Buffer.alloc(0));
    expect(plain.status).toMatchObject({ code: grpcCodes.unknown, message: "broken" });
  });

  test("FLT-20 answers health checks, also while a handler sends all it can", async () => {
    const flood: Attachable = {
      methods: ["/test.A/Flood"],
      async handle(call) {
        const chunk = Buffer.alloc(1024 * 1024);
        for (;;) if (!call.write(frameMessage(chunk))) await call.drained();
      },
    };
    const { remote } = await open([flood]);
    const flooding = await remote.call("/test.A/Flood");
    await flooding.message(1);
    const check = await remote.unary("/grpc.health.v1.Health/Check", Buffer.alloc(0));
    expect(check.response).toEqual(Buffer.from([0x08, 0x01]));
    const list = await remote.unary("/grpc.health.v1.Health/List", Buffer.alloc(0));
    expect(list.status.code).toBe(grpcCodes.ok);
    const watch = await remote.call("/grpc.health.v1.Health/Watch");
    expect(await watch.message(0)).toEqual(Buffer.from([0x08, 0x01]));
  });

  test("SEC-55 after close nothing is served and handlers have been aborted", async () => {
    let reason: unknown;
    const waiting: Attachable = {
      methods: ["/test.A/Wait"],
      async handle(call) {
        call.write(frameMessage(Buffer.from("started")));
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
        reason = call.signal.reason;
      },
    };
    const { remote, session } = await open([waiting]);
    const call = await remote.call("/test.A/Wait");
    await call.message(0);
    await session.close();
    expect(reason).toMatchObject({ code: "HTTP2_CLOSED" });
    expect(await session.closed).toBeUndefined();
    await remote.ended;
    await expect(remote.call("/test.A/Wait")).rejects.toThrow();
    await session.close();
  });

  test("a session ended by the builder says so", async () => {
    const { remote, session } = await open([echo]);
    await remote.stop();
    expect(await session.closed).toMatchObject({ code: "SESSION_LOST" });
  });

  test("FLT-21 a session dropped while we were suspended says that", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { remote, session } = await open([echo]);
    vi.setSystemTime(Date.now() + 60_000);
    await remote.stop();
    expect(await session.closed).toMatchObject({
      code: "SESSION_SUSPENDED",
      message: "session was dropped by the builder (client was suspended)",
    });
  });

  test("its signal ends it", async () => {
    const controller = new AbortController();
    const { session } = await open([echo], { signal: controller.signal });
    controller.abort("enough");
    expect(await session.closed).toMatchObject({ code: "ABORTED", cause: "enough" });
  });
});

describe("upload", () => {
  test("streams a source once", async () => {
    const content = Buffer.alloc(3_000_000, "x");
    const { remote } = await open([upload(new Map([["one", Readable.from([content])]]))]);
    const call = await remote.call("/moby.upload.v1.Upload/Pull", { urlpath: "/one" });
    call.half();
    expect((await call.status).code).toBe(grpcCodes.ok);
    expect(call.received.reduce((sum, message) => sum + message.length, 0)).toBeGreaterThan(content.length);
    const again = await remote.call("/moby.upload.v1.Upload/Pull", { urlpath: "/one" });
    expect(await again.status).toMatchObject({ message: "no http response from session for one" });
  });

  test("a source that fails fails the call", async () => {
    const broken = new Readable({ read: () => {} });
    const { remote } = await open([upload(new Map([["one", broken]]))]);
    const call = await remote.call("/moby.upload.v1.Upload/Pull", { urlpath: "/one" });
    broken.destroy(new Error("stdin went away"));
    expect(await call.status).toMatchObject({ code: grpcCodes.unknown, message: "stdin went away" });
  });

  test("a source that gives no bytes, or is closed before its end, is told, not taken for an empty one", async () => {
    const closed = new PassThrough();
    for (const [source, why] of [
      [Readable.from([{ a: 1 }]), "must give bytes, not an object"],
      [closed, "was closed before its end"],
    ] as const) {
      const told: string[] = [];
      const onError = (error: Error) => void told.push(error.message);
      const { remote } = await open([upload(new Map([["one", source]]), { onError })]);
      const call = await remote.call("/moby.upload.v1.Upload/Pull", { urlpath: "/one" });
      closed.destroy();
      expect(await call.status).toMatchObject({ message: `the stream of an archive ${why}` });
      expect(told).toEqual([`the stream of an archive ${why}`]);
    }
  });
});

describe("secrets", () => {
  const ask = async (remote: Awaited<ReturnType<typeof open>>["remote"], ID: string) => {
    const request = toBinary(
      secretsWire.GetSecretRequestSchema,
      create(secretsWire.GetSecretRequestSchema, { ID }),
    );
    const { status, response } = await remote.unary("/moby.buildkit.secrets.v1.Secrets/GetSecret", request);
    return { status, data: response && fromBinary(secretsWire.GetSecretResponseSchema, response).data };
  };

  test("SEC-50 hands out registered ids only, byte for byte", async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const { remote } = await open([
      secrets(
        new Map([
          ["bytes", { type: "value", value: all }],
          ["env", { type: "env", name: "TOKEN", env: { TOKEN: "tökén\r\n" } }],
          ["unset", { type: "env", name: "NONE", env: {} }],
          ["inherited", { type: "env", name: "toString", env: {} }],
          ["callback", { type: "callback", read: async () => "called" }],
        ]),
      ),
    ]);
    expect(Buffer.from((await ask(remote, "bytes")).data ?? [])).toEqual(all);
    expect(Buffer.from((await ask(remote, "env")).data ?? []).toString()).toBe("tökén\r\n");
    expect(Buffer.from((await ask(remote, "callback")).data ?? []).toString()).toBe("called");
    // As BuildKit's own client: a variable that is not set is an empty secret.
    for (const id of ["unset", "inherited"]) expect((await ask(remote, id)).data, id).toHaveLength(0);
    for (const id of ["other", "", "__proto__"]) {
      expect((await ask(remote, id)).status.code, id).toBe(grpcCodes.notFound);
    }
  });

  test("an onSecret that rejects is the answer, and the secret is not handed out", async () => {
    const { remote } = await open([
      secrets(new Map([["id", { type: "value", value: Buffer.from("secret") }]]), {
        onSecret: async () => Promise.reject(new Error("a bug in the caller")),
      }),
    ]);
    const { data, status } = await ask(remote, "id");
    expect(data ?? []).toHaveLength(0);
    expect(status.message).toContain("a bug in the caller");
  });

  test("SEC-50 500 KiB pass, one more does not", async () => {
    const { remote } = await open([
      secrets(
        new Map([
          ["fits", { type: "value", value: Buffer.alloc(500 * 1024) }],
          ["large", { type: "value", value: Buffer.alloc(500 * 1024 + 1) }],
          ["device", { type: "file", path: "/dev/zero" }],
        ]),
      ),
    ]);
    expect((await ask(remote, "fits")).data).toHaveLength(500 * 1024);
    expect((await ask(remote, "large")).status.message).toBe("invalid secret size 512001 of secret large");
    expect((await ask(remote, "device")).status.code).toBe(grpcCodes.unknown);
  });

  test("SEC-50 reads files as bytes; of a fifo the one possible reading serves all requests", async () => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-"));
    cleanUps.push(() => rm(directory, { recursive: true }));
    const content = Buffer.from("\0\r\n\xff", "latin1");
    await writeFile(join(directory, "file"), content);
    await promisify(execFile)("mkfifo", [join(directory, "fifo")]);
    const source = (name: string) => ({ type: "file", path: join(directory, name) }) as const;
    const { remote } = await open([
      secrets(
        new Map([
          ["file", source("file")],
          ["fifo", source("fifo")],
          ["silent", source("silent")],
          ["directory", source("")],
          ["missing", source("missing")],
        ]),
      ),
    ]);
    expect(Buffer.from((await ask(remote, "file")).data ?? [])).toEqual(content);
    const asked = [ask(remote, "fifo"), ask(remote, "fifo")];
    await writeFile(join(directory, "fifo"), content);
    for (const { data } of await Promise.all(asked)) expect(Buffer.from(data ?? [])).toEqual(content);
    expect(Buffer.from((await ask(remote, "fifo")).data ?? [])).toEqual(content);
    // One that nobody writes to holds up neither the others nor the end.
    await promisify(execFile)("mkfifo", [join(directory, "silent")]);
    const silent = await remote.call("/moby.buildkit.secrets.v1.Secrets/GetSecret");
    await silent.send(
      toBinary(
        secretsWire.GetSecretRequestSchema,
        create(secretsWire.GetSecretRequestSchema, { ID: "silent" }),
      ),
    );
    expect((await ask(remote, "directory")).status.code).toBe(grpcCodes.unknown);
    expect((await ask(remote, "missing")).status.code).toBe(grpcCodes.notFound);
  });
});
