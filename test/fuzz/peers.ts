import { create, toBinary } from "@bufbuild/protobuf";
import { createServer } from "node:net";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuildkitClient, control, readContent } from "../../src/buildkit/index.js";
import { EngineClient } from "../../src/engine-api/index.js";
import { frameMessage } from "../../src/http2/index.js";
import { BuildHistory } from "../../src/manage/history/build-history.js";
import { diskUsage } from "../../src/manage/index.js";
import { parseReference } from "../../src/registry/reference.js";
import { RegistryClient } from "../../src/registry/registry-client.js";
import type { Attachable } from "../../src/session/index.js";
import { FakeBuildkitd } from "../support/fake-buildkitd.js";
import { type Answer, httpServer } from "../support/http-server.js";
import type { Target } from "./targets.js";

/** An answer that never ends is given up after that many ms, which fails a target below it. */
const patience = 1500;
const digest = `sha256:${"ab".repeat(32)}`;
const time = { seconds: 1_700_000_000n, nanos: 5 };
const worker = toBinary(
  control.ListWorkersResponseSchema,
  create(control.ListWorkersResponseSchema, {
    record: [
      {
        ID: "w",
        Labels: { a: "b" },
        platforms: [{ OS: "linux", Architecture: "arm64", Variant: "v8" }],
        GCPolicy: [{ all: true, filters: ["a"], keepDuration: 5n, reservedSpace: 6n }],
      },
    ],
  }),
);
const usage = toBinary(
  control.DiskUsageResponseSchema,
  create(control.DiskUsageResponseSchema, {
    record: [{ ID: "a", Size: 5n, Parents: ["b"], CreatedAt: time, LastUsedAt: time, Description: "c" }],
  }),
);
const event = toBinary(
  control.BuildHistoryEventSchema,
  create(control.BuildHistoryEventSchema, {
    type: 1,
    record: {
      Ref: "r",
      CreatedAt: time,
      CompletedAt: time,
      FrontendAttrs: { context: "." },
      Results: { "linux/amd64": { Attestations: [{ digest, mediaType: "a", size: 1n }] } },
    },
  }),
);
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: { mediaType: "a", digest, size: 1 }, layers: [] }); // prettier-ignore
const engineInfo = JSON.stringify({ ID: "a", ServerVersion: "28.0", OSType: "linux", Architecture: "x86_64", SecurityOptions: ["name=rootless"], DriverStatus: [["a", "b"]] }); // prettier-ignore
const image = JSON.stringify({ Id: digest, RepoTags: ["a:1"], RepoDigests: [`a@${digest}`], RootFS: { Type: "layers", Layers: [digest] }, Os: "linux" }); // prettier-ignore

/** A whole HTTP answer, as an engine writes it. */
function http(body: string, ...headers: string[]): Buffer {
  const head = [
    "HTTP/1.1 200 OK",
    "Api-Version: 1.41",
    ...headers,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** What a header may hold for Node to send it. */
const header = (bytes: Buffer) => bytes.toString("latin1").replace(/[^\x20-\x7e]/g, "?");

/** Peers that give broken forms of good answers, over real connections: what is used of slipway ends, by a result or its own error. */
export const peers: Record<string, Target> = {
  "peers: daemon": {
    seeds: [worker, usage, event, Buffer.alloc(0)].map((bytes) => Buffer.from(bytes)),
    run: async (bytes) => {
      await using daemon = new FakeBuildkitd({ services: [answering(bytes)] });
      await using client = await BuildkitClient.connect(daemon.dial);
      const builder = { name: "b", store: { localState: { readRef: async () => undefined } } };
      const nodes = [{ name: "n", driver: { close: async () => {} }, client }];
      const history = new BuildHistory(
        ...([builder, nodes] as unknown as ConstructorParameters<typeof BuildHistory>),
      );
      const signal = AbortSignal.timeout(patience);
      await settle([
        client.info({ signal }),
        client.workers({ signal }),
        diskUsage(client, { signal }),
        readContent(client, digest, { limit: 1000, signal }),
        history.records({ signal }).then(async (records) => {
          for (const record of records) await history.attachments(record, { signal });
        }),
      ]);
    },
  },
  "peers: engine": {
    seeds: [http(engineInfo, "Content-Type: application/json"), http(image), http(`[${image}]`), http('{"status":"a"}\r\n{"error":"b"}\r\n')], // prettier-ignore
    run: async (bytes) => {
      const dir = mkdtempSync(join(tmpdir(), "slipway-peer-"));
      const path = join(dir, "engine.sock");
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => socket.end(bytes));
      }).listen(path);
      await once(server, "listening");
      try {
        await using engine = EngineClient.open({ host: `unix://${path}`, apiVersion: "1.41" });
        const signal = AbortSignal.timeout(patience);
        await settle([
          engine.ping({ signal }),
          engine.info({ signal }),
          engine.images.inspect("a", { signal }),
          engine.images.list({ signal }),
          engine.images.pull("a", { signal }),
          engine.containers.list({ signal }),
        ]);
      } finally {
        server.close();
        rmSync(dir, { recursive: true, force: true });
      }
    },
  },
  "peers: registry": {
    seeds: [Buffer.from(manifest), Buffer.from(`{"schemaVersion":2,"manifests":[${manifest}]}`)],
    run: (bytes) =>
      withRegistry(({ url }) => ({
        headers: {
          "content-type": "application/vnd.oci.image.manifest.v1+json",
          link: `<${header(bytes.subarray(0, 100))}>; rel="next"`,
          ...(url.includes("referrers") && { "content-type": "application/vnd.oci.image.index.v1+json" }),
        },
        body: bytes,
      })),
  },
  "peers: token server": {
    seeds: [Buffer.from('{"token":"abc","expires_in":300,"issued_at":"2024-01-01T00:00:00Z"}'), Buffer.from('{"access_token":"abc","refresh_token":"d"}')], // prettier-ignore
    run: (bytes) =>
      withRegistry(({ url, headers }) => {
        if (url.startsWith("/token")) return { body: bytes };
        if (headers.authorization !== undefined) return { body: manifest };
        const realm = `Bearer realm="http://${String(headers["host"])}/token",service="${header(bytes.subarray(-40))}"`;
        return { status: 401, headers: { "www-authenticate": realm } };
      }),
  },
};

/** All calls with the same broken answer. */
function answering(bytes: Buffer): Attachable {
  const service = "/moby.buildkit.v1.Control";
  return {
    methods: [
      `${service}/Info`,
      `${service}/ListWorkers`,
      `${service}/DiskUsage`,
      `${service}/ListenBuildHistory`,
      "/containerd.services.content.v1.Content/Read",
      "/containerd.services.content.v1.Content/Info",
    ],
    async handle(call) {
      call.write(frameMessage(bytes));
    },
  };
}

async function withRegistry(
  answer: (request: { url: string; headers: NodeJS.Dict<string | string[]> }) => Answer,
): Promise<void> {
  await using server = await httpServer(answer);
  await using client = new RegistryClient({
    env: {},
    credentials: async () => ({ username: "me", password: "secret" }),
  });
  const reference = parseReference(`${server.host}/a/b:c`);
  const signal = AbortSignal.timeout(patience);
  await settle([
    client.resolve(reference, { signal }),
    client.getManifest(reference, { signal }),
    client.referrers(reference, digest, { signal }),
  ]);
}

/** Waits for all, and throws the first error that is not slipway's own, if there is one: `main.ts` tells them apart. */
async function settle(calls: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(calls);
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason as Error] : [],
  );
  const foreign = errors.find(
    (error) => !("code" in error) || !/^[A-Z]+(_[A-Z]+)*$/.test(String(error.code)),
  );
  const [error] = foreign ? [foreign] : errors;
  if (error) throw error;
}
