import { type DescMessage, type MessageShape, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AskedNames } from "../../src/build/asked-names.js";
import { readBake } from "../../src/bake/index.js";
import { callResult } from "../../src/build/build-result.js";
import { InputSketch } from "../../src/build/input-sketch.js";
import { parseRecordedInput } from "../../src/build/recorded-input.js";
import { readInstructions } from "../../src/build/dockerfile/instructions.js";
import { findUnreproducible } from "../../src/build/reproducible/find-unreproducible.js";
import { addMounts } from "../../src/build/trust-ca/add-mounts.js";
import { baseImages } from "../../src/build/engine-images/base-images.js";
import { ArchiveGuard } from "../../src/build/load/archive-guard.js";
import { decodeNodeGroup } from "../../src/builder/node-group-json.js";
import { parsePlatform } from "../../src/builder/platform.js";
import { partsOf } from "../../src/buildkit/message-parts.js";
import { control, toStatusUpdate } from "../../src/buildkit/index.js";
import { parseBuildkitdToml } from "../../src/config/buildkitd-config.js";
import { parseCsvFields, parseGoDuration, parseSize } from "../../src/config/index.js";
import { parseJsonObject } from "../../src/config/json.js";
import { blankSecrets, blankUsers } from "../../src/core/redactor.js";
import { compileGoRegexp } from "../../src/fs/go-regexp.js";
import { PatternMatcher, parseIgnoreFile } from "../../src/fs/index.js";
import { cleanPath } from "../../src/fs/paths.js";
import { Http1Error } from "../../src/engine-api/http1/http1-error.js";
import { AnswerParser } from "../../src/engine-api/http1/answer-parser.js";
import { FrameReader } from "../../src/http2/wire/frame-reader.js";
import { HeaderDecoder } from "../../src/http2/wire/header-decoder.js";
import { decodeHuffman } from "../../src/http2/wire/huffman.js";
import { BytesFieldDecoder, MessageDecoder } from "../../src/http2/message-decoder.js";
import { buildRecord } from "../../src/manage/history/build-record.js";
import { parseSpans } from "../../src/manage/history/build-trace.js";
import { cacheRecord } from "../../src/manage/disk-usage.js";
import { formatStatusJson } from "../../src/progress/rawjson.js";
import { LogSanitizer, sanitizeName } from "../../src/progress/sanitize.js";
import { guardWorkflowCommands } from "../../src/progress/workflow-guard.js";
import { readLayerTar } from "../../src/manage/replay/layer-tar.js";
import { parseProvenance } from "../../src/manage/replay/provenance.js";
import { SourcePins } from "../../src/manage/replay/source-pins.js";
import { readStatement } from "../../src/manage/replay/statement.js";
import { parseChallenges } from "../../src/registry/challenge.js";
import { parseManifest } from "../../src/registry/manifest.js";
import { parseReference } from "../../src/registry/reference.js";
import { cleanText } from "../../src/report/clean-text.js";
import { protocolError as exportProtocolError } from "../../src/session/filesend/export-error.js";
import { protocolError as syncProtocolError } from "../../src/session/filesync/sync-error.js";
import { PacketDecoder } from "../../src/session/fsutil/packet-decoder.js";

/** A decoder with what it usually gets. It may throw errors of slipway's, and those of `throws` by their names. */
export interface Target {
  seeds: readonly Buffer[];
  run: (bytes: Buffer) => unknown;
  throws?: readonly string[];
}

/** All that an answer in pieces of a length tells, or why it is none. */
function httpAnswer(bytes: Buffer, piece: number): string {
  let told = "";
  const events = {
    onHead: (head: { status: number; headers: object }) => void (told += JSON.stringify(head)),
    onData: (data: Buffer) => void (told += data.toString("latin1")),
    onEnd: () => void (told += " end"),
    onUpgrade: () => void (told += " upgrade"),
  };
  const parser = new AnswerParser({ method: "GET", upgrades: true, mostHeaderBytes: 4096 }, events);
  try {
    for (let at = 0; at < bytes.length; at += piece) parser.push(bytes.subarray(at, at + piece));
    parser.finish();
  } catch (error) {
    if (!(error instanceof Http1Error)) throw error;
    told += ` ${error.message}`;
  }
  return told;
}

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const text = (...texts: string[]) => texts.map((each) => Buffer.from(each));
const digest = `sha256:${"ab".repeat(32)}`;
const now = { seconds: 1_700_000_000n, nanos: 5 };
const statusBytes = Buffer.from(
  toBinary(
    control.StatusResponseSchema,
    create(control.StatusResponseSchema, {
      vertexes: [{ digest, name: "RUN x", inputs: [digest], started: now, completed: now, error: "no" }],
      statuses: [{ ID: "a", vertex: digest, current: 1n, total: 2n, timestamp: now, started: now }],
      logs: [{ vertex: digest, stream: 1n, msg: Buffer.from("line\n"), timestamp: now }],
      warnings: [
        { vertex: digest, level: 1n, short: Buffer.from("w"), detail: [Buffer.from("d")], url: "u" },
      ],
    }),
  ),
);
const recordBytes = Buffer.from(
  toBinary(
    control.BuildHistoryRecordSchema,
    create(control.BuildHistoryRecordSchema, {
      Ref: "r",
      FrontendAttrs: { context: "." },
      CreatedAt: now,
      CompletedAt: now,
      Result: { Attestations: [{ digest, mediaType: "a", size: 1n, annotations: { b: "c" } }] },
      error: { code: 2, message: "no" },
    }),
  ),
);
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: { mediaType: "a", digest, size: 1 }, layers: [{ mediaType: "b", digest, size: 2 }] }); // prettier-ignore
const index = JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 1, platform: { os: "linux", architecture: "arm64", variant: "v8" }, annotations: { a: "b" } }] }); // prettier-ignore
const dockerfile = "ARG A=alpine\nFROM --platform=$BUILDPLATFORM ${A:-x}:1 AS a\nRUN --mount=from=b,target=/c true \\\n && x\nCOPY --from=a /x <<EOT /y\nhi\nEOT\n"; // prettier-ignore

/** What is written into a Dockerfile leaves its instructions where they are. */
function dockerfileReaders(text: string): void {
  baseImages(text);
  findUnreproducible(text);
  const places = (of: string) =>
    readInstructions(of).map(({ word, parts }) => [word, parts.map(({ line }) => line)]);
  if (JSON.stringify(places(addMounts(text, "--mount=m"))) !== JSON.stringify(places(text)))
    throw new RangeError("moved");
}

/** An entry of a tar archive (POSIX ustar). */
function tarEntry(name: string, content: string, type = "0"): Buffer {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write("0000644\0" + "0000000\0".repeat(2), 100);
  head.write(
    content.length.toString(8).padStart(11, "0") + "\0" + "0".repeat(11) + "\0" + " ".repeat(8),
    124,
  );
  head.write(type, 156);
  head.write("ustar\x0000", 257);
  head.write(
    head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0") + "\0 ",
    148,
  );
  return Buffer.concat([head, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
const archive = Buffer.concat([
  tarEntry("blobs/", "", "5"),
  tarEntry("PaxHeader", "20 size=5\n11 path=a\n", "x"),
  tarEntry(`blobs/sha256/${"ab".repeat(32)}`, manifest),
  tarEntry("index.json", index),
  tarEntry("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
  Buffer.alloc(1024),
]);
const group = JSON.stringify({ Name: "a", Driver: "docker-container", Nodes: [{ Name: "a0", Endpoint: "unix:///x", Platforms: [{ architecture: "amd64", os: "linux" }], DriverOpts: { a: "b" }, Flags: ["c"], Files: { d: "ZQ==" } }], Dynamic: false }); // prettier-ignore
const toml =
  'debug = true\n[registry."a.b:5000"]\nhttp = true\nmirrors = ["c"]\nkeypair = [{ key = "k", cert = "c" }]\n[worker.oci]\ngckeepstorage = "10GB"\n';

const statement = JSON.stringify({
  _type: "https://in-toto.io/Statement/v1",
  predicateType: "https://slsa.dev/provenance/v1",
  subject: [{ name: "a", digest: { sha256: "ab".repeat(32) } }],
  predicate: {
    buildDefinition: {
      buildType: "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
      externalParameters: {
        configSource: { uri: "https://a/b.git#main:c", digest: { sha1: "ab".repeat(20) }, path: "Dockerfile" },
        request: { frontend: "dockerfile.v0", args: { "build-arg:A": "b" }, secrets: [{ id: "s", optional: true }], ssh: [{ id: "default" }], locals: [{ name: "context" }] },
      },
      internalParameters: { builderPlatform: "linux/amd64", buildConfig: { llbDefinition: [{ id: "step0", op: { Op: { source: { identifier: "docker-image://docker.io/library/alpine:1" } } } }] } },
      resolvedDependencies: [{ uri: "pkg:docker/alpine@1?platform=linux%2Farm64%2Fv8", digest: { sha256: "ab".repeat(32) } }],
    },
    runDetails: { metadata: { buildkit_completeness: { request: true } } },
  },
}); // prettier-ignore
const envelope = JSON.stringify({ payloadType: "application/vnd.in-toto+json", payload: Buffer.from(statement).toString("base64"), signatures: [{ sig: "" }] }); // prettier-ignore
const hcl =
  'variable "A" {\n  default = "b"\n}\nfunction "f" {\n  params = [x]\n  result = "${x}-${A}"\n}\ntarget "t" {\n  matrix = { i = [1, 2] }\n  name = "t-${i}"\n  tags = [for k in ["a"]: f(k)]\n  args = { B = A == "b" ? null : <<E\nx\nE\n }\n}\n';
const compose =
  'services:\n  a:\n    build:\n      context: .\n      args: { A: "${B:-c}" }\n      x-bake: { tags: [a] }\n  b: { extends: a, image: "b:1" }\n';

/** A message; undefined where protobuf throws, which connect makes an error of the call. */
function decoded<T extends DescMessage>(desc: T, bytes: Buffer): MessageShape<T> | undefined {
  try {
    return fromBinary(desc, bytes);
  } catch {
    return undefined;
  }
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

const inPieces = (bytes: Buffer, push: (piece: Buffer) => void) => {
  for (let at = 0; at < bytes.length; at += 7) push(bytes.subarray(at, at + 7));
};

export const targets: Record<string, Target> = {
  "HTTP/1 answers": {
    seeds: text(
      "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\nA: c\r\n\r\n3;x\r\nabc\r\n0\r\nT: u\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nraw",
      "HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\n\r\nuntil the end",
    ),
    run(bytes) {
      const whole = httpAnswer(bytes, bytes.length);
      const inPieces = httpAnswer(bytes, 1);
      if (whole !== inPieces) throw new Error(`${whole} in one piece, ${inPieces} byte by byte`);
    },
  },
  "HTTP/2 frames": {
    seeds: [
      hex(
        "000000 04 00 00000000 000003 01 00 00000001 828487 000001 09 04 00000001 88 000002 00 01 00000001 6162",
      ),
    ],
    run: (bytes) => {
      const reader = new FrameReader({ frame() {}, dataBegin() {}, dataBytes() {}, dataEnd() {} });
      inPieces(Buffer.from(bytes), (piece) => reader.push(piece));
    },
    throws: ["ProtocolViolation"],
  },
  HPACK: {
    seeds: [
      hex("82 86 84 41 8c f1e3c2e5f23a6ba0ab90f4ff 40 0a 637573746f6d2d6b6579 0d 637573746f6d2d686561646572"),
    ],
    run: (bytes) => new HeaderDecoder().decode(bytes, () => {}),
    throws: ["ProtocolViolation"],
  },
  Huffman: { seeds: [hex("f1e3c2e5f23a6ba0ab90f4ff")], run: decodeHuffman },
  "gRPC messages": {
    seeds: [hex("00 00000003 0a0161 00 00000000 01 00000001 ff")],
    run: (bytes) => {
      const whole = new MessageDecoder();
      inPieces(bytes, (piece) => whole.push(piece, () => {}));
      const field = new BytesFieldDecoder();
      inPieces(bytes, (piece) => field.push(piece, () => {}));
    },
  },
  "status of a build": {
    seeds: [statusBytes],
    run: (bytes) => {
      partsOf(control.StatusResponseSchema, bytes);
      const message = decoded(control.StatusResponseSchema, bytes);
      return message && formatStatusJson(toStatusUpdate(message));
    },
  },
  "records of builds": {
    seeds: [recordBytes],
    run: (bytes) => {
      const wire = decoded(control.BuildHistoryRecordSchema, bytes);
      return wire && buildRecord({ builder: "b", node: "n", wire, localState: undefined, now: new Date(0) });
    },
  },
  "records of disk usage": {
    seeds: [
      Buffer.from(
        toBinary(
          control.UsageRecordSchema,
          create(control.UsageRecordSchema, { ID: "a", Size: 5n, CreatedAt: now, Parents: ["b"] }),
        ),
      ),
    ],
    run: (bytes) => {
      const record = decoded(control.UsageRecordSchema, bytes);
      return record && cacheRecord(record);
    },
  },
  "packets of exports": {
    seeds: [
      hex("12 0b 0a 03 612f62 10 a403 28 05 30 07"),
      hex("08 02 18 03 22 01 61"),
      hex("08 04 22 02 6e6f"),
    ],
    run: (bytes) => new PacketDecoder(exportProtocolError).decode(bytes),
  },
  "packets of uploads": {
    seeds: [hex("08 01 18 05"), hex("08 03"), hex("08 04 22 02 6e6f")],
    run: (bytes) => new PacketDecoder(syncProtocolError).decode(bytes),
  },
  "image archives": {
    seeds: [archive],
    run: (bytes) => {
      const guard = new ArchiveGuard(new AskedNames("a:1"));
      inPieces(bytes.subarray(0, 4096), (piece) => guard.push(piece));
      guard.push(bytes.subarray(4096));
    },
  },
  manifests: { seeds: text(manifest, index), run: (bytes) => parseManifest(bytes, undefined, "it") },
  challenges: {
    seeds: text('Bearer realm="https://a/t",service="s",scope="repository:a:pull" , Basic realm="x\\"y"'),
    throws: [],
    run: (bytes) => parseChallenges([bytes.toString("latin1")]),
  },
  references: {
    seeds: text("a.b:5000/c/d:e@" + digest, "alpine"),
    run: (bytes) => parseReference(bytes.toString()),
  },
  platforms: {
    seeds: text("linux/arm64/v8", "windows(10.0)/amd64"),
    run: (bytes) => parsePlatform(bytes.toString()),
  },
  "ignore files": {
    seeds: text("# a\n*\n!b/**/c\n[a-z]?\\*\n", "\ufeff../x\n/y/\n"),
    run: (bytes) => new PatternMatcher(parseIgnoreFile(bytes)).matches("b/x/c"),
  },
  expressions: {
    seeds: text("^(?:a|b{1,3})*[^/]+\\p{L}$"),
    run: (bytes) => compileGoRegexp(bytes.toString())?.test("abc"),
  },
  TOML: { seeds: text(toml), run: (bytes) => parseBuildkitdToml("x.toml", bytes) },
  builders: { seeds: text(group), run: (bytes) => decodeNodeGroup("x", bytes) },
  "JSON files": { seeds: text(group, "\ufeff{}"), run: (bytes) => parseJsonObject("x", bytes) },
  traces: { seeds: text('{"a":[1,"}"]}\n{"b":{}}'), run: parseSpans },
  Dockerfiles: { seeds: text(dockerfile), run: (bytes) => dockerfileReaders(bytes.toString()) },
  lists: { seeds: text('type=a,"b=""c",d'), run: (bytes) => parseCsvFields(bytes.toString()) },
  durations: { seeds: text("1h2.5ms"), run: (bytes) => parseGoDuration(bytes.toString()) },
  sizes: { seeds: text("1.5GB"), run: (bytes) => parseSize(bytes.toString()) },
  paths: { seeds: text("/a/../b//c/."), throws: [], run: (bytes) => cleanPath(bytes.toString("latin1")) },
  "results of calls": {
    seeds: text('{"sources":[],"warnings":[{"ruleName":"a"}]}'),
    run: (bytes) =>
      callResult(
        { name: "lint", format: "", ignoreStatus: false },
        new Map([
          ["result.json", bytes],
          ["result.statuscode", bytes],
        ]),
      ),
  },
  layers: {
    seeds: [archive],
    run: async (bytes) => {
      for await (const entry of readLayerTar(pieces(bytes), "it", () => {}))
        if (entry.size < 0) throw new RangeError("size");
    },
  },
  provenance: {
    seeds: text(statement, envelope),
    run: async (bytes) => {
      const { predicate, predicateType } = await readStatement(bytes, "it", undefined);
      new SourcePins(parseProvenance(predicate, predicateType)).find(
        "docker-image://docker.io/library/alpine:1",
      );
    },
  },
  "recorded inputs": {
    seeds: text(`${digest};entries:YWJj`, `${digest};buckets:YWJj`),
    run: (bytes) => {
      const recorded = parseRecordedInput(bytes.toString());
      return recorded && InputSketch.compare(recorded.sketch, async () => {});
    },
  },
  "definitions of bake": {
    seeds: text(hcl),
    run: (bytes) => readBake({ env: {}, files: [{ name: "docker-bake.hcl", content: bytes.toString() }] }),
  },
  "definitions of compose": {
    seeds: text(compose),
    run: (bytes) => readBake({ env: {}, files: [{ name: "compose.yaml", content: bytes.toString() }] }),
  },
  "texts that are shown": {
    seeds: text("\x1b[31mred\x1b[0m ::stop ##[x] \x9b1m https://u:p@h/ token=abc password: x\r\n"),
    throws: [],
    run: (bytes) => {
      const shown = bytes.toString();
      new LogSanitizer({ returns: "break" }).push(bytes);
      for (const show of [sanitizeName, cleanText, blankSecrets, blankUsers, guardWorkflowCommands])
        show(shown);
    },
  },
};
