import { createHash, randomUUID } from "node:crypto";
import { lstat, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuildkitClient, type control, pb } from "../../src/buildkit/index.js";
import {
  type Attachable,
  ContentStore,
  type Descriptor,
  Session,
  content,
  fileSend,
  fileTarget,
  findDescriptor,
  putDescriptor,
  removeUnreferencedBlobs,
} from "../../src/session/index.js";
import { type RealBuildkitd, realBuildkitd } from "../support/real-buildkitd.js";

type Action = NonNullable<MessageInitShape<typeof pb.FileActionSchema>["action"]>;

type SolveInit = Pick<
  Exclude<MessageInitShape<typeof control.SolveRequestSchema>, control.SolveRequest>,
  "Exporters" | "Cache" | "Definition" | "Frontend" | "FrontendInputs"
>;

const mkdir = (path: string, mode = 0o755): Action => ({
  case: "mkdir",
  value: { path, mode, timestamp: 1_600_000_000_000_000_000n },
});
const mkfile = (path: string, data: string | Buffer, mode = 0o644): Action => ({
  case: "mkfile",
  value: { path, mode, data: Buffer.from(data as string), timestamp: 1_600_000_000_123_456_000n },
});
const symlink = (newpath: string, oldpath: string): Action => ({
  case: "symlink",
  value: { oldpath, newpath, timestamp: 1_600_000_000_000_000_000n },
});

/** A graph of one step that makes files from nothing. */
function files(actions: Action[]): MessageInitShape<typeof pb.DefinitionSchema> {
  const marshal = (op: MessageInitShape<typeof pb.OpSchema>) =>
    toBinary(pb.OpSchema, create(pb.OpSchema, op));
  const step = marshal({
    op: {
      case: "file",
      value: {
        actions: actions.map((action, index) => ({
          input: BigInt(index - 1),
          secondaryInput: -1n,
          output: index === actions.length - 1 ? 0n : -1n,
          action,
        })),
      },
    },
  });
  const digest = `sha256:${createHash("sha256").update(step).digest("hex")}`;
  return {
    def: [step, marshal({ inputs: [{ digest, index: 0n }] })],
    metadata: { [digest]: { caps: { "file.base": true } } },
  };
}

/** A build of the Dockerfile frontend. buildkitd gave no cache for the graph alone. */
const dockerfile = {
  Frontend: "dockerfile.v0",
  FrontendInputs: {
    context: files([mkfile("/hello", "hi")]),
    dockerfile: files([mkfile("/Dockerfile", "FROM scratch\nCOPY hello /one\nCOPY hello /two\n")]),
  },
};

const largeFile = Buffer.alloc(3_000_000, "slipway ");
const tree = files([
  mkdir("/d", 0o750),
  mkfile("/d/small", "hello", 0o640),
  mkfile("/d/large", largeFile),
  mkfile("/empty", ""),
  symlink("/link", "d/small"),
  mkfile("/tool", "#!", 0o755),
]);

describe("results of a real buildkitd", () => {
  let daemon: RealBuildkitd;
  let client: BuildkitClient;
  let dir: string;

  beforeAll(async () => {
    daemon = await realBuildkitd();
    client = await daemon.connect();
  });
  afterAll(async () => {
    await client.close();
    await daemon[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "slipway-results-"));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  async function solve(
    attachables: Attachable | Attachable[],
    request: SolveInit,
  ): Promise<Record<string, string>> {
    await using session = await Session.open(client, { attachables: [attachables].flat(), sharedKey: "" });
    const { ExporterResponse } = await client.control.solve({
      Ref: randomUUID(),
      Session: session.id,
      ...(request.Frontend === undefined && { Definition: tree }),
      ...request,
    });
    return ExporterResponse;
  }

  async function expectTree(root: string): Promise<void> {
    expect((await readdir(root)).sort()).toEqual(["d", "empty", "link", "tool"]);
    expect((await readFile(join(root, "d/large"))).equals(largeFile)).toBe(true);
    const small = await stat(join(root, "d/small"), { bigint: true });
    expect([small.mode & 0o7777n, small.size, small.mtimeNs]).toEqual([
      0o640n,
      5n,
      1_600_000_000_123_456_000n,
    ]);
    expect((await stat(join(root, "d"))).mode & 0o7777).toBe(0o750);
    expect((await stat(join(root, "tool"))).mode & 0o7777).toBe(0o755);
    expect((await stat(join(root, "empty"))).size).toBe(0);
    expect(await readlink(join(root, "link"))).toBe("d/small");
    expect((await lstat(join(root, "link"))).mtimeMs).toBe(1_600_000_000_000);
  }

  test("a directory, twice over itself", async () => {
    for (let run = 0; run < 2; run++) {
      const out = fileSend(new Map([[0, { type: "directory", path: join(dir, "out") }]]));
      await solve(out, { Exporters: [{ Type: "local" }] });
    }
    await expectTree(join(dir, "out"));
  });

  test("a directory in delete mode", async () => {
    await writeFile(join(dir, "extra"), "x");
    const out = fileSend(new Map([[0, { type: "directory", path: dir, mode: "delete" }]]));
    await solve(out, { Exporters: [{ Type: "local", Attrs: { mode: "delete" } }] });
    await expectTree(dir);
  });

  test("FLT-90 a local failure ends the build with the local path", async () => {
    await writeFile(join(dir, "file"), "");
    const failures: Error[] = [];
    const target = { type: "directory" as const, path: join(dir, "file") };
    const out = fileSend(new Map([[0, target]]), { onFailure: (error) => void failures.push(error) });
    await expect(solve(out, { Exporters: [{ Type: "local" }] })).rejects.toThrow(join(dir, "file"));
    expect(failures).toMatchObject([{ code: "SESSION_EXPORT_IO" }]);
  });

  test("a tar file", async () => {
    const path = join(dir, "out.tar");
    await solve(fileSend(new Map([[0, fileTarget(path)]])), { Exporters: [{ Type: "tar" }] });
    expect((await stat(path)).size).toBeGreaterThan(largeFile.length);
    expect((await readFile(path)).includes("d/small")).toBe(true);
    expect(await readdir(dir)).toEqual(["out.tar"]);
  });

  test("an archive of an image that is not wanted, by its metadata", async () => {
    let digest: string | undefined;
    const target = {
      type: "stream" as const,
      open: async (metadata: ReadonlyMap<string, string>) => {
        digest = metadata.get("containerimage.digest");
        return undefined;
      },
    };
    const response = await solve(fileSend(new Map([[0, target]])), { Exporters: [{ Type: "oci" }] });
    expect(digest).toMatch(/^sha256:/);
    expect(response["containerimage.digest"]).toBe(digest);
  });

  test("FLT-8 a daemon that dies leaves the file that was there", async () => {
    const path = join(dir, "out.tar");
    await writeFile(path, "before");
    await using other = await realBuildkitd();
    await using victim = await other.connect();
    const target = {
      type: "stream" as const,
      open: async () => {
        const file = (await fileTarget(path).open(new Map(), new AbortController().signal)) as Writable;
        const killer = new Writable({
          write: (_chunk, _encoding, done) => {
            void other.kill();
            // Never done: the daemon cannot finish.
            void done;
          },
          destroy: (error, done) => {
            file.on("error", () => {});
            file.once("close", () => done(error));
            file.destroy();
          },
        });
        return killer;
      },
    };
    await using session = await Session.open(victim, {
      attachables: [fileSend(new Map([[0, target]]))],
      sharedKey: "",
    });
    const request = {
      Ref: randomUUID(),
      Session: session.id,
      Definition: tree,
      Exporters: [{ Type: "tar" }],
    };
    await expect(victim.control.solve(request)).rejects.toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
    await session.close();
    expect(await readFile(path, "utf8")).toBe("before");
    expect(await readdir(dir)).toEqual(["out.tar"]);
  });

  test("an OCI layout as a directory", async () => {
    const stores = new Map([["export", new ContentStore(dir, { access: "read-write" })]]);
    const response = await solve(content(stores), {
      Exporters: [{ Type: "oci", Attrs: { tar: "false" } }],
    });
    const digest = response["containerimage.digest"] as string;
    const manifest = await readFile(join(dir, "blobs/sha256", digest.slice(7)));
    expect(createHash("sha256").update(manifest).digest("hex")).toBe(digest.slice(7));
    expect(await readdir(dir)).toEqual(["blobs"]);
  });

  test("SEC-53 a read-only store takes no export", async () => {
    const stores = new Map([["export", new ContentStore(dir)]]);
    await expect(
      solve(content(stores), { Exporters: [{ Type: "oci", Attrs: { tar: "false" } }] }),
    ).rejects.toThrow(/read-only/);
    expect(await readdir(dir)).toEqual([]);
  });

  test("a local cache, out and in again on another daemon", async () => {
    const id = `local:${dir}`;
    const store = new ContentStore(dir, { access: "read-write" });
    const attachables = [
      content(new Map([[id, store]])),
      fileSend(new Map([[0, { type: "directory", path: join(dir, "first") }]])),
    ];
    const cached = await solve(attachables, {
      ...dockerfile,
      Exporters: [{ Type: "local" }],
      Cache: { Exports: [{ Type: "local", Attrs: { dest: dir, mode: "max" } }] },
    });
    const descriptor = JSON.parse(cached["cache.manifest"] as string) as Descriptor;
    await putDescriptor(dir, descriptor, { tag: "latest" });
    expect(await removeUnreferencedBlobs(dir)).toBe(0);
    expect((await findDescriptor(dir, "latest"))?.digest).toBe(descriptor.digest);

    await using other = await realBuildkitd();
    await using fresh = await other.connect();
    const out = fileSend(new Map([[0, { type: "directory", path: join(dir, "out") }]]));
    await using session = await Session.open(fresh, {
      attachables: [content(new Map([[id, new ContentStore(dir)]])), out],
      sharedKey: "",
    });
    const Ref = randomUUID();
    await fresh.control.solve({
      ...dockerfile,
      Ref,
      Session: session.id,
      Exporters: [{ Type: "local" }],
      Cache: { Imports: [{ Type: "local", Attrs: { src: dir, digest: descriptor.digest } }] },
    });
    expect(await readdir(join(dir, "out"))).toEqual(["one", "two"]);
  });
});
