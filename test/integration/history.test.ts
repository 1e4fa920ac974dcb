import { symlink } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BuildHistory,
  type BuildRecord,
  Builder,
  build,
  files,
  history,
  readTrace,
} from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { Workplace } from "../support/workplace.js";

/** What a builder remembers, read by us and by buildx from the same builder. */
const { registry, dockerHost } = engineEnv();
const failing = "FROM busybox\nRUN seq 1 30 && echo oops && false\n";

let builder: Builder;
let builds: BuildHistory;

/** What is looked at of a span. */
interface Span {
  Name: string;
  SpanContext: { TraceID: string; SpanID: string };
  Parent: { TraceID: string; SpanID: string };
  Resource: { Key: string; Value: { Value: unknown } }[];
}
const serviceOf = (span: Span) => span.Resource.find(({ Key }) => Key === "service.name")?.Value.Value;

beforeAll(async () => {
  builder = await Builder.ensure({ name: "history", driverOpts: { network: "host" } });
  await build({
    builder,
    context: files({ Dockerfile: "FROM busybox AS base\nARG A\nRUN echo $A > /a\n" }),
    target: "base",
    buildArgs: { A: "one" },
    labels: { mark: "yes" },
    attests: ["type=provenance,mode=max"],
    outputs: [{ type: "image", attrs: { name: `${registry}/history:1`, push: "true" } }],
  });
  await build({ builder, context: files({ Dockerfile: failing }), outputs: [{ type: "cacheonly" }] }).catch(
    () => {},
  );
  builds = await history({ builder });
});

afterAll(async () => {
  await builds?.close();
  await builder?.remove();
});

describe("the library", () => {
  let failed: BuildRecord;
  let good: BuildRecord;

  test("lists records, newest first", async () => {
    const records = await builds.records();
    expect(records.map(({ status }) => status)).toEqual(["error", "completed"]);
    [failed, good] = records as [BuildRecord, BuildRecord];
    expect(good).toMatchObject({
      ref: `history/history0/${good.id}`,
      attrs: { "build-arg:A": "one", "label:mark": "yes", target: "base" },
      pinned: false,
    });
    expect(good.steps.completed).toBe(good.steps.total);
    expect(good.duration).toBeGreaterThan(0);
    expect(good.result?.results[0]?.digest).toMatch(/^sha256:/);
  });

  test("finds a record by offset, id and whole ref, and says when there is none", async () => {
    for (const ref of ["", "^0", failed.id, failed.ref])
      expect((await builds.record(ref)).id).toBe(failed.id);
    expect((await builds.record("^1")).id).toBe(good.id);
    await expect(builds.record("^2")).rejects.toThrow('no record found for ref "^2"');
    await expect(builds.record("^5")).rejects.toThrow("no completed build found with offset 3");
    await expect(builds.record("^x")).rejects.toThrow('invalid offset "^x"');
    await expect(builds.record("nosuch")).rejects.toMatchObject({ code: "HISTORY_NOT_FOUND" });
    await expect(builds.record(`other/other0/${good.id}`)).rejects.toThrow("is of builder other");
  });

  test("filters by state, ref, time and length", async () => {
    const ids = async (...filters: string[]) => (await builds.records({ filters })).map(({ id }) => id);
    expect(await ids("status=error")).toEqual([failed.id]);
    expect(await ids("status!=error")).toEqual([good.id]);
    expect(await ids(`ref=${good.id.slice(0, 8)}`)).toEqual([good.id]);
    expect(await ids("startedAt>1h", "status=completed")).toEqual([good.id]);
    expect(await ids("startedAt<1h")).toEqual([]);
    expect(await ids("duration<=1h", "completedAt>=2020-01-01T00:00:00Z")).toHaveLength(2);
    await expect(ids("nosuch=1")).rejects.toThrow('unsupported filter "nosuch=1"');
    await expect(ids("status>1")).rejects.toThrow("expected = or !=");
    await expect(ids("duration=1")).rejects.toThrow("expected <=, <, >= or >");
    await expect(ids("startedAt<soon")).rejects.toThrow("invalid time soon");
  });

  test("a record's trace has what slipway did beside what the daemon did, below the caller's span", async () => {
    const [traceId, parent] = ["4f".repeat(16), "5e".repeat(8)];
    await using other = await Builder.ephemeral({ driverOpts: { network: "host" } });
    await build({
      builder: other,
      context: files({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "1" }),
      outputs: [{ type: "cacheonly" }],
      env: { ...process.env, TRACEPARENT: `00-${traceId}-${parent}-01` },
    });
    await using of = await history({ builder: other });
    const spans = (await readTrace(of, await of.record("^0"))) as unknown as Span[];
    const named = (name: string, service: string) =>
      spans.filter((span) => span.Name === name && serviceOf(span) === service);
    const id = (span: Span | undefined) => span?.SpanContext.SpanID;
    const [root] = named("build", "slipway");
    expect(root).toMatchObject({
      SpanContext: { TraceID: traceId },
      Parent: { TraceID: traceId, SpanID: parent },
    });
    for (const name of ["Session", "Solve"].map((method) => `moby.buildkit.v1.Control/${method}`))
      expect(named(name, "slipway")).toMatchObject([{ SpanKind: 3, Parent: { SpanID: id(root) } }]);
    // The daemon's side of it, and steps below that.
    const [asked] = named("moby.buildkit.v1.Control/Solve", "slipway");
    expect(named("moby.buildkit.v1.Control/Solve", "buildkitd")).toMatchObject([
      { Parent: { SpanID: id(asked) } },
    ]);
    // Calls of the daemon's, and our side of them.
    const uploads = named("moby.filesync.v1.FileSync/DiffCopy", "buildkitd").map(id);
    const served = named("moby.filesync.v1.FileSync/DiffCopy", "slipway");
    expect(uploads.length).toBeGreaterThan(1);
    expect(new Set(served.map((span) => span.Parent.SpanID))).toEqual(new Set(uploads));
    expect(served).toHaveLength(uploads.length);
    expect(spans.filter((span) => span.SpanContext.TraceID !== traceId)).toEqual([]);
  });

  test("replays a build's progress", async () => {
    const names = new Set<string>();
    let log = "";
    for await (const { vertexes, logs } of builds.status(failed)) {
      for (const { name } of vertexes) names.add(name);
      for (const { data } of logs) log += Buffer.from(data).toString();
    }
    expect([...names].some((name) => name.includes("RUN seq"))).toBe(true);
    expect(log).toContain("oops");
  });

  test("tells why a build failed, with the place and the last lines", async () => {
    expect(await builds.failure(good)).toBeUndefined();
    const failure = await builds.failure(failed);
    expect(failure?.message).toContain("exit code: 1");
    expect(Buffer.from(failure?.sources[0]?.source.data ?? []).toString()).toBe(failing);
    expect(failure?.step?.name).toContain("RUN seq 1 30");
    expect(failure?.step?.logs).toEqual([...Array.from({ length: 15 }, (_, at) => `${at + 16}`), "oops"]);
  });

  test("reads attachments", async () => {
    const attachments = await builds.attachments(good);
    expect(attachments.map(({ type }) => type)).toEqual([
      "application/vnd.oci.image.index.v1+json",
      "https://slsa.dev/provenance/v1",
      "application/vnd.oci.image.manifest.v1+json",
    ]);
    const [, provenance] = attachments;
    const blob = await builds.readBlob(good, provenance?.digest ?? "");
    expect(JSON.parse(blob.toString())).toHaveProperty("buildDefinition");
  });

  test("removes records", async () => {
    await builds.remove([good.ref]);
    expect((await builds.records()).map(({ id }) => id)).toEqual([failed.id]);
    await builds.removeAll();
    expect(await builds.records()).toEqual([]);
    await expect(builds.record()).rejects.toThrow("no records found");
  });
});

test.skipIf(!dockerHost.startsWith("unix://"))(
  "a builder of two nodes remembers the builds of both",
  async () => {
    await using place = await Workplace.open("history-nodes");
    // The same engine under another name.
    const second = path.join(place.dir, "second.sock");
    await symlink(dockerHost.slice("unix://".length), second);
    const name = await place.builder("two", "--platform", "linux/amd64", "--driver-opt", "network=host");
    const more = ["--append", "--node", `${name}-b`, "--platform", "linux/arm64", `unix://${second}`];
    await place.succeed(["create", "--name", name, "--driver-opt", "network=host", ...more]);
    const context = await place.context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
    for (const platform of ["linux/amd64", "linux/arm64"])
      await place.succeed([
        "build",
        "--builder",
        name,
        "--platform",
        platform,
        "-o",
        "type=cacheonly",
        context,
      ]);
    await using both = await history({ builder: name, env: place.env });
    const records = await both.records();
    expect(records.map(({ node, attrs }) => [node, attrs["platform"]])).toEqual([
      [`${name}-b`, "linux/arm64"],
      [`${name}0`, "linux/amd64"],
    ]);
    const [newest] = records;
    const ref = newest?.ref ?? "";
    expect((await both.record(ref)).node).toBe(`${name}-b`);
    await expect(both.record(ref.replace(`${name}-b`, `${name}0`))).rejects.toThrow("no record found");
    await both.remove([newest?.id ?? ""]);
    expect((await both.records()).map(({ node }) => node)).toEqual([`${name}0`]);
  },
);
