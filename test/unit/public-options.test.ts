import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import * as buildkit from "../../src/buildkit/index.js";
import { BuilderNode } from "../../src/builder/builder-node.js";
import { EphemeralBuilder } from "../../src/builder/builder.js";
import * as engineApi from "../../src/engine-api/index.js";
import * as slipway from "../../src/index.js";
import { messageOf } from "../../src/core/index.js";
import { BuildHistory } from "../../src/manage/history/build-history.js";
import * as progress from "../../src/progress/index.js";
import * as report from "../../src/report/index.js";
import * as session from "../../src/session/index.js";
import * as testcontainers from "../../src/testcontainers/index.js";

const scratch = await mkdtemp(join(tmpdir(), "slipway-options-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** An environment in which nothing is there to be reached. */
const env = { HOME: scratch, BUILDX_CONFIG: scratch, DOCKER_HOST: `unix://${scratch}/none.sock` };
const engine = engineApi.EngineClient.open({ host: env.DOCKER_HOST });
const context = slipway.files({ Dockerfile: "FROM scratch\n" });
const dial = () => Promise.reject(new Error("not to be reached"));
const dialled = () => Promise.resolve(new PassThrough());
const stream = () => new Writable({ write: (_chunk, _encoding, done) => done() });

/** An object of a class that has none of what its constructor makes: enough for a call that is refused for its options. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- calls are made as JavaScript makes them
type Loose = any;
const bare = (of: { prototype: object }): Loose => Object.create(of.prototype);
const builder = bare(slipway.Builder);
const node = bare(BuilderNode);
const builds = bare(BuildHistory);
const client = bare(buildkit.BuildkitClient);
const record = { id: "x", node: "n" };
const started = bare(testcontainers.StartedBuildKitContainer);
const container = new testcontainers.BuildKitContainer();

const definition = { name: "docker-bake.hcl", content: 'target "default" {}' };

/** A statement that is not there. */
const subject = join(scratch, "none.intoto.jsonl");

/** How a public function is called with options, and one that it has; `sync` for those that give no promise or iterator. */
interface Row {
  call: (options: Loose) => unknown;
  option?: string;
  sync?: true;
  /** Calling it for real would find an engine of this machine, or change what others use. */
  onlyRefusals?: true;
}

const { containers, exec, images, networks, volumes } = engine as Loose;
const all = slipway as Loose;
const rows: Record<string, Row> = {
  "slipway: build": { call: (o) => all.build({ context, env, ...o }) },
  "slipway: openResult": { call: (o) => all.openResult({ context, env, ...o }) },
  "slipway: bake": { call: (o) => all.bake({ env, files: [definition], ...o }) },
  "slipway: readBake": { call: (o) => all.readBake({ env, files: [definition], ...o }) },
  "slipway: replay": { call: (o) => all.replay(subject, { env, ...o }) },
  "slipway: planReplay": { call: (o) => all.planReplay(subject, { env, ...o }) },
  "slipway: verifyReplay": { call: (o) => all.verifyReplay(subject, { env, ...o }) },
  "slipway: snapshotReplay": {
    call: (o) => all.snapshotReplay(subject, { env, output: { layout: join(scratch, "kept") }, ...o }),
  },
  "slipway: describeProvenance": { call: (o) => all.describeProvenance(subject, { env, ...o }) },
  "slipway: plan": { call: (o) => all.plan({ context, env, ...o }) },
  "slipway: connect": { call: (o) => all.connect({ env, dial, ...o }) },
  "slipway: createImage": { call: (o) => all.createImage({ sources: ["a"], env, ...o }) },
  "slipway: inspectImage": { call: (o) => all.inspectImage("localhost:1/a", { env, ...o }) },
  "slipway: dialBuilder": { call: (o) => all.dialBuilder({ env, ...o }) },
  "slipway: history": { call: (o) => all.history({ env, ...o }) },
  "slipway: diskUsage": { call: (o) => all.diskUsage(client, o) },
  "slipway: prune": { call: (o) => all.prune(client, o) },
  "slipway: inspectBuild": { call: (o) => all.inspectBuild(builds, record, o) },
  "slipway: readTrace": { call: (o) => all.readTrace(builds, record, o) },
  "slipway: bundleBuilds": { call: (o) => all.bundleBuilds(builds, [record], o) },
  "slipway: git": { call: (o) => all.git("https://example.com/a.git", o), option: "ref", sync: true },
  "slipway: memory": { call: (o) => all.memory(o), option: "maxBytes", sync: true },
  "slipway: Builder.open": { call: (o) => all.Builder.open({ env, ...o }) },
  "slipway: diskUsage of a builder": { call: (o) => all.diskUsage({ env, ...o }) },
  "slipway: prune of a builder": { call: (o) => all.prune({ env, ...o }) },
  "slipway: Builder.list": { call: (o) => all.Builder.list({ env, ...o }), option: "onWarning" },
  "slipway: Builder.create": {
    call: (o) => all.Builder.create({ env, ...o }),
    option: "node",
    onlyRefusals: true,
  },
  "slipway: Builder.ensure": { call: (o) => all.Builder.ensure({ name: "x", env, ...o }) },
  "slipway: Builder.ephemeral": { call: (o) => all.Builder.ephemeral({ env, ...o }) },
  "slipway: Builder#inspect": { call: (o) => builder.inspect(o) },
  "slipway: Builder#boot": { call: (o) => builder.boot(o) },
  "slipway: Builder#stop": { call: (o) => builder.stop(o) },
  "slipway: Builder#remove": { call: (o) => builder.remove(o) },
  "slipway: BuilderNode#openDriver": { call: (o) => node.openDriver(o), option: "connect" },
  "slipway: BuildHistory#records": { call: (o) => builds.records(o) },
  "slipway: BuildHistory#record": { call: (o) => builds.record("^0", o) },
  "slipway: BuildHistory#recordsOf": { call: (o) => builds.recordsOf("^0", o) },
  "slipway: BuildHistory#status": { call: (o) => builds.status(record, o) },
  "slipway: BuildHistory#failure": { call: (o) => builds.failure(record, o) },
  "slipway: BuildHistory#attachments": { call: (o) => builds.attachments(record, o) },
  "slipway: BuildHistory#images": { call: (o) => builds.images(record, o) },
  "slipway: BuildHistory#readBlob": { call: (o) => builds.readBlob(record, "sha256:", o), option: "limit" },
  "slipway: BuildHistory#streamBlob": { call: (o) => builds.streamBlob(record, "sha256:", o) },
  "slipway: BuildHistory#remove": { call: (o) => builds.remove(["x"], o) },
  "slipway: BuildHistory#removeAll": { call: (o) => builds.removeAll(o) },
  "slipway: BuildHistory#finalize": { call: (o) => builds.finalize(record, o) },
  "slipway: BuildHistory#defaultPlatform": { call: (o) => builds.defaultPlatform("n", o) },
  "progress: plain": { call: (o) => progress.plain(stream(), o), option: "debug", sync: true },
  "progress: terminal": { call: (o) => progress.terminal(stream(), o), option: "phase", sync: true },
  "progress: grouped": { call: (o) => progress.grouped(stream(), o), option: "system", sync: true },
  "progress: display": {
    call: (o) => progress.display("plain", stream(), {}, o),
    option: "debug",
    sync: true,
  },
  "progress: formatWarnings": { call: (o) => progress.formatWarnings([], o), option: "color", sync: true },
  "progress: hyperlink": { call: (o) => progress.hyperlink("u", "t", o), option: "enabled", sync: true },
  "progress: new LogSanitizer": {
    call: (o) => new progress.LogSanitizer(o),
    option: "returns",
    sync: true,
  },
  "engine-api: EngineClient.open": {
    call: (o) => engineApi.EngineClient.open({ host: env.DOCKER_HOST, ...o }),
    option: "userAgent",
    sync: true,
  },
  "engine-api: execDial": {
    call: (o) => engineApi.execDial(engine, "c", ["x"], o),
    option: "speaks",
    sync: true,
  },
  "engine-api: dialProgramBySsh": {
    call: (o) => engineApi.dialProgramBySsh("ssh://h", { command: () => ["x"], what: "x", ...o }),
    option: "what",
    sync: true,
  },
  "engine-api: new ExecStream": {
    call: (o) => new engineApi.ExecStream("x", new PassThrough(), o),
    option: "tty",
    sync: true,
  },
  "engine-api: EngineClient#ping": { call: (o) => engine.ping(o) },
  "engine-api: EngineClient#mayUseContainerdStore": { call: (o) => engine.mayUseContainerdStore(o) },
  "engine-api: EngineClient#dial": { call: (o) => engine.dial(o) },
  "engine-api: EngineClient#dialBuildkit": { call: (o) => engine.dialBuildkit(o) },
  "engine-api: EngineClient#info": { call: (o) => engine.info(o) },
  "engine-api: EngineClient#version": { call: (o) => engine.version(o) },
  "engine-api: EngineClient#events": { call: (o) => engine.events(o) },
  "engine-api: EngineClient#run": { call: (o) => engine.run("c", ["x"], o), option: "milliseconds" },
  "engine-api: Containers#create": {
    call: (o) => containers.create("c", { Image: "i" }, o),
    option: "platform",
  },
  "engine-api: Containers#attach": { call: (o) => containers.attach("c", o), option: "stdin" },
  "engine-api: Containers#startWait": { call: (o) => containers.startWait("c", o), option: "condition" },
  "engine-api: Containers#resize": {
    call: (o) => containers.resize("c", { rows: 1, columns: 1, ...o }),
    option: "columns",
  },
  "engine-api: Containers#statPath": { call: (o) => containers.statPath("c", "/", o) },
  "engine-api: Containers#getArchive": { call: (o) => containers.getArchive("c", "/", o) },
  "engine-api: Containers#start": { call: (o) => containers.start("c", o) },
  "engine-api: Containers#stop": { call: (o) => containers.stop("c", o), option: "timeoutSeconds" },
  "engine-api: Containers#kill": { call: (o) => containers.kill("c", o), option: "unixSignal" },
  "engine-api: Containers#pause": { call: (o) => containers.pause("c", o) },
  "engine-api: Containers#unpause": { call: (o) => containers.unpause("c", o) },
  "engine-api: Containers#remove": { call: (o) => containers.remove("c", o), option: "force" },
  "engine-api: Containers#inspect": { call: (o) => containers.inspect("c", o), option: "size" },
  "engine-api: Containers#list": { call: (o) => containers.list(o), option: "filters" },
  "engine-api: Containers#logs": { call: (o) => containers.logs("c", o), option: "follow" },
  "engine-api: Containers#wait": { call: (o) => containers.wait("c", o), option: "condition" },
  "engine-api: Containers#putArchive": {
    call: (o) => containers.putArchive("c", { path: "/", body: Buffer.alloc(1024), ...o }),
  },
  "engine-api: Containers#putDirectory": {
    call: (o) => containers.putDirectory("c", { path: "/", directory: scratch, ...o }),
  },
  "engine-api: Images#pull": { call: (o) => images.pull("i", o), option: "platform" },
  "engine-api: Images#push": { call: (o) => images.push("i", o), option: "onProgress" },
  "engine-api: Images#remoteDigest": { call: (o) => images.remoteDigest("i", o), option: "registryAuth" },
  "engine-api: Images#inspect": { call: (o) => images.inspect("i", o) },
  "engine-api: Images#load": { call: (o) => images.load(new PassThrough().end(), o), option: "onProgress" },
  "engine-api: Images#save": { call: (o) => images.save(["i"], o), option: "platforms" },
  "engine-api: Images#tag": { call: (o) => images.tag("i", "j", o) },
  "engine-api: Images#list": { call: (o) => images.list(o), option: "manifests" },
  "engine-api: Images#history": { call: (o) => images.history("i", o) },
  "engine-api: Images#prune": { call: (o) => images.prune(o), option: "filters" },
  "engine-api: Images#remove": { call: (o) => images.remove("i", o), option: "noPrune" },
  "engine-api: Networks#create": { call: (o) => networks.create({ Name: "n" }, o) },
  "engine-api: Networks#inspect": { call: (o) => networks.inspect("n", o) },
  "engine-api: Networks#list": { call: (o) => networks.list(o) },
  "engine-api: Networks#remove": { call: (o) => networks.remove("n", o) },
  "engine-api: Volumes#create": { call: (o) => volumes.create({ Name: "v" }, o) },
  "engine-api: Volumes#inspect": { call: (o) => volumes.inspect("v", o) },
  "engine-api: Volumes#list": { call: (o) => volumes.list(o) },
  "engine-api: Volumes#remove": { call: (o) => volumes.remove("v", o) },
  "engine-api: Execs#create": { call: (o) => exec.create("c", { cmd: ["x"], ...o }), option: "attachStdin" },
  "engine-api: Execs#start": { call: (o) => exec.start("x", o) },
  "engine-api: Execs#startDetached": { call: (o) => exec.startDetached("x", o) },
  "engine-api: Execs#resize": {
    call: (o) => exec.resize("x", { rows: 1, columns: 1, ...o }),
    option: "rows",
  },
  "engine-api: Execs#inspect": { call: (o) => exec.inspect("x", o) },
  "engine-api: Execs#exitCode": { call: (o) => exec.exitCode("x", o) },
  "buildkit: waitReady": {
    call: (o) => buildkit.waitReady(dial, { milliseconds: 1, ...o }),
    option: "interval",
  },
  "buildkit: readContent": { call: (o) => buildkit.readContent(client, "sha256:", o), option: "limit" },
  "buildkit: streamContent": { call: (o) => buildkit.streamContent(client, "sha256:", o) },
  "buildkit: BuildkitClient.connect": {
    call: (o) => buildkit.BuildkitClient.connect(dial, o),
    option: "windows",
  },
  "buildkit: BuildkitClient#openSession": {
    call: (o) => client.openSession({ id: "x", sharedKey: "", methods: [], ...o }),
  },
  "buildkit: BuildkitClient#openBlob": { call: (o) => client.openBlob("sha256:", o), sync: true },
  "buildkit: BuildkitClient#info": { call: (o) => client.info(o) },
  "buildkit: BuildkitClient#sendSpans": { call: (o) => client.sendSpans([], o) },
  "buildkit: BuildkitClient#workers": { call: (o) => client.workers(o), option: "filter" },
  "session: Session.open": {
    call: (o) => session.Session.open(client, { attachables: [], sharedKey: "", ...o }),
    option: "keepAlive",
  },
  "session: auth": { call: (o) => session.auth({ env, ...o }), option: "seedDir", sync: true },
  "session: secrets": { call: (o) => session.secrets(new Map(), o), option: "onSecret", sync: true },
  "session: upload": { call: (o) => session.upload(new Map(), o), option: "onError", sync: true },
  "session: fileSync": { call: (o) => session.fileSync(new Map(), o), option: "onRace", sync: true },
  "session: fileSend": { call: (o) => session.fileSend(new Map(), o), option: "maxBytes", sync: true },
  "session: putDescriptor": {
    call: (o) => session.putDescriptor(join(scratch, "layout"), { mediaType: "", digest: "", size: 0 }, o),
    option: "tag",
  },
  "session: readOciIndex": { call: (o) => session.readOciIndex(scratch, o), option: "followLinks" },
  "session: new ContentStore": {
    call: (o) => new session.ContentStore(scratch, o),
    option: "access",
    sync: true,
  },
  "testcontainers: buildImage": {
    call: (o) => testcontainers.buildImage({ context, ...o }),
    onlyRefusals: true,
  },
  "testcontainers: openImage": {
    call: (o) => testcontainers.openImage({ context, ...o }),
    onlyRefusals: true,
  },
  "testcontainers: BuildKitContainer#withRegistry": {
    call: (o) => container.withRegistry("r", o),
    option: "mirrors",
    sync: true,
  },
  "testcontainers: BuildKitContainer#withRegistryMirror": {
    call: (o) => container.withRegistryMirror("r", o),
    option: "http",
    sync: true,
  },
  "testcontainers: BuildKitContainer#withTcp": {
    call: (o) => container.withTcp(o),
    option: "hostIp",
    sync: true,
  },
  "testcontainers: StartedBuildKitContainer#connect": { call: (o) => started.connect(o), onlyRefusals: true },
};
// Of a connection that is open.
rows["slipway: Connection#build"] = {
  call: async (o) => {
    const connection = await slipway.connect({ env, dial: dialled }).catch(() => undefined);
    await connection?.close();
    return connection ? connection.build({ context, ...o }) : all.build({ context, env, dial, ...o });
  },
};

/** What takes no options: arguments only, or an object that is data. */
const without = new Set(
  `
  slipway: describeDifference, dir, files, tar, isSlipwayError, parseCache, parseOutput, parseSecret, toJaeger
  slipway: Builder#touch, EphemeralBuilder#close, BuilderNode#endpoint, BuildHistory#close, BuildError#explain
  slipway: BuildError#close
  progress: LogSanitizer#push, causeText, ciSystem, countTotals, cutToWidth, dedupeWarnings, formatAmount
  progress: formatBinaryBytes, formatBytes, formatMessage, formatSource, formatStatusJson, goDuration, goTimestamp
  progress: guardLog, guardWorkflowCommands, humanDuration, joinSinks, padToWidth, prefixVertices, quiet
  progress: workflowAnnotation, rawjson, sanitizeName, sanitizeText, shareLogs, shiftToLocalClock, textWidth, warningJson
  report: collectReport, reportHtml
  engine-api: encodeRegistryAuth, EngineClient#apiVersion, EngineClient#close, ExecStream#stderrTail
  buildkit: BuildkitClient#gateway, BuildkitClient#sendSpans, BuildkitClient#close, BuildkitError#detail, compareVersions, grpcCodeName, parseVersion
  buildkit: requireSupportedVersion, toBuildkitError, toStatusUpdate
  session: CacheLock#share, CacheLock#close, CacheLock#alone, ContentStore#info, ContentStore#has, ContentStore#list
  session: ContentStore#open, ContentStore#writer, ContentStore#status, ContentStore#statuses, ContentStore#abort
  session: ContentStore#delete, ContentStore#requireWritable
  session: Session#close, content, dirOpener, fileTarget, findDescriptor
  session: loadSshAgents, openOutputFile, parseSshSpec, policyVerifier, removeUnreferencedBlobs, service, ssh, writeTree
  testcontainers: BuildKitContainer#withConfig, BuildKitContainer#withFlags, BuildKitContainer#withMemoryLimit
  testcontainers: BuildKitContainer#withCpuLimit, BuildKitContainer#withSocketDirectory, BuildKitContainer#start
  testcontainers: BuildKitContainer#sharedName, StartedBuildKitContainer#target, StartedBuildKitContainer#stop, stopSharedBuildKit
  `
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [module = "", names = ""] = line.trim().split(": ");
      return names.split(", ").map((name) => `${module}: ${name}`);
    }),
);

/** The class of an object. */
function classOf(value: object): { prototype: object } {
  return { prototype: Object.getPrototypeOf(value) as object };
}

/** The functions of a module, and the methods of its classes. */
function* functionsOf(module: string, names: object): Generator<string> {
  for (const [name, value] of Object.entries(names)) {
    if (typeof value !== "function") continue;
    if (!/^class\b/.test(String(value))) yield `${module}: ${name}`;
    else yield* methodsOf(module, name, value as { prototype: object });
  }
}

function* methodsOf(module: string, name: string, value: { prototype: object }): Generator<string> {
  const own = (of: object) =>
    Object.entries(Object.getOwnPropertyDescriptors(of)).filter(
      ([key, { value: method }]) =>
        typeof method === "function" && key !== "constructor" && !key.startsWith("_"),
    );
  for (const [key] of own(value)) yield `${module}: ${name}.${key}`;
  for (const [key] of own(value.prototype)) yield `${module}: ${name}#${key}`;
}

test("every public function has a row here, and every row is a public function's", () => {
  const exported = new Set([
    ...functionsOf("slipway", slipway),
    // Handed out, not exported as values.
    ...methodsOf("slipway", "BuilderNode", BuilderNode),
    ...methodsOf("slipway", "BuildHistory", BuildHistory),
    ...methodsOf("slipway", "EphemeralBuilder", EphemeralBuilder),
    "slipway: Connection#build",
    ...functionsOf("progress", progress),
    ...functionsOf("report", report),
    ...functionsOf("engine-api", engineApi),
    ...methodsOf("engine-api", "Containers", classOf(engine.containers)),
    ...methodsOf("engine-api", "Images", classOf(engine.images)),
    ...methodsOf("engine-api", "Networks", classOf(engine.networks)),
    ...methodsOf("engine-api", "Volumes", classOf(engine.volumes)),
    ...methodsOf("engine-api", "Execs", classOf(engine.exec)),
    ...functionsOf("buildkit", buildkit),
    ...functionsOf("session", session),
    ...functionsOf("testcontainers", testcontainers),
  ]);
  const named = [...Object.keys(rows).filter((name) => !/: new | of a builder$/.test(name)), ...without];
  expect([...exported].filter((name) => !named.includes(name)).sort()).toEqual([]);
  expect(named.filter((name) => !exported.has(name)).sort()).toEqual([]);
});

/** What a call ends with; an error that is thrown before there is a promise is told apart. */
async function outcome(row: Row, options: object): Promise<{ error?: unknown; thrown: boolean }> {
  let result: unknown;
  try {
    result = row.call(options);
  } catch (error) {
    return { error, thrown: true };
  }
  try {
    if (typeof result === "object" && result !== null && Symbol.asyncIterator in result && "next" in result)
      await (result as AsyncGenerator).next();
    else await result;
    return { thrown: false };
  } catch (error) {
    return { error, thrown: false };
  }
}

describe.each(Object.entries(rows))("%s", (_, row) => {
  const { option = "signal", sync = false } = row;

  test("refuses an option that it does not have, with the one that was meant", async () => {
    const found = await outcome(row, { [`${option}x`]: true });
    expect(found.error).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(messageOf(found.error)).toContain(`has no option "${option}x", did you mean ${option}?`);
    expect(found.thrown).toBe(sync);
  });

  test("refuses an option of another kind, by name", async () => {
    const found = await outcome(row, { [option]: 5n });
    expect(found.error).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(messageOf(found.error)).toContain(`the option ${option} must be`);
    expect(found.thrown).toBe(sync);
  });

  test.skipIf(row.onlyRefusals)("takes undefined as not given", async () => {
    const found = await outcome(row, { [option]: undefined, constructor: undefined });
    expect(messageOf(found.error)).not.toMatch(/has no option|the option/);
  });

  test("knows no options that every object has", async () => {
    const found = await outcome(row, JSON.parse('{ "__proto__": 1 }') as object);
    // Spread into other options it sets nothing.
    if (found.error !== undefined) expect(messageOf(found.error)).not.toMatch(/is not a function/);
    const named = await outcome(row, { toString: 1 });
    expect(messageOf(named.error)).toContain('has no option "toString"');
  });
});
