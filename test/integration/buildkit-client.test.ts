import { createHash } from "node:crypto";
import { once } from "node:events";
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BuildkitClient,
  BuildkitError,
  control,
  pb,
  readContent,
  requireSupportedVersion,
  toStatusUpdate,
} from "../../src/buildkit/index.js";
import { type RealBuildkitd, realBuildkitd } from "../support/real-buildkitd.js";

/** A graph of one file, made from nothing. */
function oneFile(path: string, data: string): MessageInitShape<typeof pb.DefinitionSchema> {
  const marshal = (op: MessageInitShape<typeof pb.OpSchema>) =>
    toBinary(pb.OpSchema, create(pb.OpSchema, op));
  const file = marshal({
    op: {
      case: "file",
      value: {
        actions: [
          {
            input: -1n,
            secondaryInput: -1n,
            output: 0n,
            action: { case: "mkfile", value: { path, mode: 0o644, data: Buffer.from(data), timestamp: -1n } },
          },
        ],
      },
    },
  });
  const digest = `sha256:${createHash("sha256").update(file).digest("hex")}`;
  // Without metadata buildkitd takes it for no definition at all.
  return {
    def: [file, marshal({ inputs: [{ digest, index: 0n }] })],
    metadata: { [digest]: { caps: { "file.base": true } } },
  };
}

/** A Dockerfile build whose Dockerfile and context come as graphs, so that no session is needed. */
function dockerfileBuild(ref: string, dockerfile: string, attrs: Record<string, string> = {}) {
  return {
    Ref: ref,
    Frontend: "dockerfile.v0",
    FrontendAttrs: attrs,
    FrontendInputs: {
      context: oneFile("/hello", "hi\n"),
      dockerfile: oneFile("/Dockerfile", dockerfile),
    },
  } satisfies MessageInitShape<typeof control.SolveRequestSchema>;
}

async function failure(promise: Promise<unknown>): Promise<BuildkitError> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(BuildkitError);
  return error as BuildkitError;
}

describe("BuildkitClient on a real buildkitd", () => {
  let daemon: RealBuildkitd;
  let client: BuildkitClient;

  beforeAll(async () => {
    daemon = await realBuildkitd();
    client = await daemon.connect();
  });

  afterAll(async () => {
    await client.close();
    await daemon[Symbol.asyncDispose]();
  });

  test("info and workers", async () => {
    const info = await client.info();
    expect(info.package).toBe("github.com/moby/buildkit");
    requireSupportedVersion(info.version);
    const workers = await client.workers();
    expect(workers).toHaveLength(1);
    expect(workers[0]?.platforms[0]).toMatchObject({ OS: "linux" });
    expect(await client.workers({ filter: ["id==nosuch"] })).toEqual([]);
  });

  test("a build gives progress while it runs, its record and its log afterwards", async () => {
    const names = new Set<string>();
    const watch = async () => {
      for await (const response of client.control.status({ Ref: "build-ok" })) {
        for (const vertex of toStatusUpdate(response).vertexes) names.add(vertex.name);
      }
    };
    const solve = client.control.solve(dockerfileBuild("build-ok", "FROM scratch\nCOPY hello /\n"));
    await Promise.all([solve, watch()]);
    expect([...names]).toContain("[1/1] COPY hello /");

    let logs: { digest: string; size: bigint } | undefined;
    for await (const { record } of client.control.listenBuildHistory({ Ref: "build-ok", EarlyExit: true })) {
      if (record?.logs) logs = record.logs;
    }
    const blob = await readContent(client, logs?.digest ?? "");
    expect(blob.length).toBe(Number(logs?.size));
    // The log is a sequence of length-prefixed StatusResponses (buildkit solver/llbsolver/history.go).
    const first = fromBinary(control.StatusResponseSchema, blob.subarray(4, 4 + blob.readUInt32LE(0)));
    expect(first.vertexes.length).toBeGreaterThan(0);
  });

  test("a mistake in the Dockerfile names its place", async () => {
    const dockerfile = "FROM scratch\n\nNOSUCH thing\n";
    const error = await failure(client.control.solve(dockerfileBuild("build-syntax", dockerfile)));
    expect(error.message).toContain("unknown instruction: NOSUCH");
    const source = error.detail("source");
    expect(source?.source).toMatchObject({ filename: "Dockerfile", language: "Dockerfile" });
    expect(Buffer.from(source?.source?.data ?? []).toString()).toBe(dockerfile);
    expect(source?.ranges[0]?.start.line).toBe(3);
  });

  test("a Dockerfile of 400 KiB comes back whole in the error", async () => {
    const dockerfile = `FROM scratch\n${`# ${"x".repeat(97)}\n`.repeat(4096)}NOSUCH thing\n`;
    const error = await failure(client.control.solve(dockerfileBuild("build-large", dockerfile)));
    expect(error.message).toContain("unknown instruction: NOSUCH");
    expect(error.detail("source")?.source?.data.length).toBe(dockerfile.length);
  });

  test("a failed step has its vertex", async () => {
    const error = await failure(
      client.control.solve(dockerfileBuild("build-step", "FROM scratch\nCOPY nosuch /\n")),
    );
    expect(error.message).toContain('"/nosuch": not found');
    expect(error.detail("vertex")?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(error.detail("source")?.ranges[0]?.start.line).toBe(2);
  });

  test("a process that fails has its exit code", async () => {
    // Nothing is in the image; what runs comes from the host's own busybox, if it has one.
    const error = await failure(
      client.control.solve(dockerfileBuild("build-exit", 'FROM scratch\nRUN ["/nosuch"]\n')),
    );
    expect(error.detail("vertex")).toBeDefined();
    expect(error.message).toContain("/nosuch");
  });

  test("an unknown subrequest is told by name", async () => {
    const attrs = { "frontend.caps": "moby.buildkit.frontend.subrequests", requestid: "frontend.nosuch" };
    const error = await failure(
      client.control.solve(dockerfileBuild("build-subrequest", "FROM scratch\n", attrs)),
    );
    expect(error.detail("subrequest")).toEqual({ type: "subrequest", name: "frontend.nosuch" });
  });

  test("an unknown frontend capability is told by name", async () => {
    const attrs = { "frontend.caps": "moby.buildkit.frontend.nosuch" };
    const error = await failure(client.control.solve(dockerfileBuild("build-cap", "FROM scratch\n", attrs)));
    expect(error.detail("frontend-cap")?.name).toBe("moby.buildkit.frontend.nosuch");
  });

  test("the gateway: ping, solve and read a file inside an open build, then return", async () => {
    const solve = client.control.solve({ Ref: "build-gateway" });
    const gateway = client.gateway("build-gateway");
    const pong = await gateway.ping({});
    expect(pong.FrontendAPICaps.map((cap) => cap.ID)).toContain("proto.refarray");
    const { result } = await gateway.solve({
      Definition: oneFile("/hello", "hi\n"),
      allowResultReturn: true,
      allowResultArrayRef: true,
    });
    const ref = result?.result.case === "ref" ? result.result.value : undefined;
    expect(ref?.id).not.toBe("");
    const { Data } = await gateway.readFile({ Ref: ref?.id ?? "", FilePath: "/hello" });
    expect(Buffer.from(Data).toString()).toBe("hi\n");
    const { entries } = await gateway.readDir({ Ref: ref?.id ?? "", DirPath: "/" });
    expect(entries.map((entry) => Buffer.from(entry.path).toString())).toEqual(["hello"]);
    await gateway.return(result ? { result } : {});
    await solve;
  });

  test("errors of other kinds", async () => {
    const missing = readContent(client, `sha256:${"0".repeat(64)}`);
    await expect(missing).rejects.toMatchObject({ code: "BUILDKIT_STATUS", grpcCode: 5 });
    const status = client.control.status({ Ref: "nosuch" })[Symbol.asyncIterator]().next();
    expect((await failure(status)).message).toContain("no such job nosuch");
    const frontend = await failure(client.control.solve({ Ref: "build-frontend", Frontend: "nosuch.v0" }));
    expect(frontend).toMatchObject({ message: "invalid frontend: nosuch.v0", grpcCode: 2 });
  });

  test("the daemon speaks HTTP/2 in a session's pipe, and ends it when we do", async () => {
    const pipe = await client.openSession({
      id: "session-1",
      sharedKey: "",
      methods: ["/grpc.health.v1.Health/Check"],
    });
    const [data] = (await once(pipe, "data")) as [Buffer];
    expect(data.subarray(0, 14).toString()).toBe("PRI * HTTP/2.0");
    pipe.end();
    pipe.resume();
    await once(pipe, "end");
  });

  test("FLT-3 a daemon that is killed ends what is under way with a lost connection", async () => {
    await using doomed = await realBuildkitd();
    await using other = await doomed.connect();
    const solve = failure(other.control.solve({ Ref: "build-open" }));
    await other.gateway("build-open").ping({});
    const pipe = await other.openSession({ id: "session-2", sharedKey: "", methods: [] });
    const lost = once(pipe, "error");
    pipe.resume();
    await doomed.kill();
    expect((await solve).code).toBe("BUILDKIT_CONNECTION_LOST");
    expect((await lost)[0]).toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
    expect(await other.closed).toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
  });
});
