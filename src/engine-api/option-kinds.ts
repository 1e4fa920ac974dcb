import {
  amount,
  bytesOf,
  callback,
  either,
  flag,
  isByteSource,
  kind,
  listOf,
  mapOf,
  milliseconds,
  object,
  oneOf,
  shape,
  signal,
  text,
} from "../core/index.js";
import type { Kind } from "../core/index.js";
import type { EngineOptions } from "./client.js";
import type {
  AttachOptions,
  CreateContainerOptions,
  LogsOptions,
  PutArchiveOptions,
  PutDirectoryOptions,
} from "./containers.js";
import type { EventsOptions } from "./events.js";
import type { ExecDialOptions } from "./exec-dial.js";
import type { ExecStreamOptions } from "./exec-stream.js";
import type { ExecCreateOptions } from "./execs.js";
import type { LoadOptions, PullOptions, PushOptions, SaveOptions } from "./images.js";
import type { RunOptions } from "./run.js";
import type { SshProgram } from "./ssh.js";
import type { CallOptions } from "./transport.js";

/** Kinds of all options of a type, so that the compiler misses none. */
type KindsOf<T> = Record<keyof Required<T>, Kind>;

const listed = listOf(text(), '"name"');
const filters = mapOf(listed, '{ name: ["app"] }');
const words = listOf(text(), '"true"');
const time = either(
  "Unix seconds or a time of RFC 3339",
  text(),
  kind("a number", (value) => Number.isFinite(value)),
);
const source = kind(
  "a stream of bytes",
  (value) => isByteSource(value) && !(typeof value === "object" && "getReader" in value),
);
const platform = shape(
  'an object, such as { os: "linux", architecture: "amd64" }',
  {
    os: text(),
    architecture: text(),
    variant: text(),
    "os.version": text(),
    "os.features": listed,
  },
  ["os", "architecture"],
);

/** What every call takes. */
export const callKinds = { signal, milliseconds } satisfies KindsOf<CallOptions>;
/** What a listing takes. */
export const listKinds = { ...callKinds, filters };
/** What {@link EngineClient.open} takes. */
export const engineKinds = {
  host: text('"unix:///var/run/docker.sock"'),
  tls: shape("an object of PEM texts", { ca: text(), cert: text(), key: text() }),
  skipTlsVerify: flag,
  apiVersion: text('"1.41"'),
  userAgent: text(),
  onWarning: callback,
  dial: callback,
} satisfies KindsOf<EngineOptions>;
const streamKinds = {
  onStderr: callback,
  lingerMilliseconds: milliseconds,
  tty: flag,
  early: object,
} satisfies KindsOf<ExecStreamOptions>;
const seconds = kind("a number of seconds", (value) => Number.isFinite(value));
/** What telling a terminal its size takes. */
export const resizeKinds = { ...callKinds, rows: amount("rows"), columns: amount("columns") };
/** What the calls on containers take. */
export const containerKinds = {
  create: { ...callKinds, platform: text('"linux/amd64"') } satisfies KindsOf<CreateContainerOptions>,
  attach: {
    ...callKinds,
    stdin: flag,
    stdout: flag,
    stderr: flag,
    onStderr: streamKinds.onStderr,
    lingerMilliseconds: streamKinds.lingerMilliseconds,
    tty: streamKinds.tty,
  } satisfies KindsOf<AttachOptions>,
  stop: { ...callKinds, timeoutSeconds: kind("a number of seconds", (value) => Number.isInteger(value)) },
  kill: { ...callKinds, unixSignal: text('"SIGTERM"') },
  remove: { ...callKinds, force: flag, volumes: flag },
  inspect: { ...callKinds, size: flag },
  list: { ...listKinds, all: flag, limit: amount("containers"), size: flag },
  wait: { ...callKinds, condition: oneOf("not-running", "next-exit", "removed") },
  logs: {
    ...callKinds,
    stdout: flag,
    stderr: flag,
    tail: amount("lines"),
    since: seconds,
    until: seconds,
    timestamps: flag,
    follow: flag,
    tty: flag,
  } satisfies KindsOf<LogsOptions>,
  putArchive: {
    ...callKinds,
    path: text('"/etc"'),
    body: either(
      "bytes or a stream",
      kind("bytes", (value) => typeof value !== "string" && bytesOf(value) !== undefined),
      source,
    ),
    noOverwriteDirNonDir: flag,
  } satisfies KindsOf<PutArchiveOptions>,
  putDirectory: {
    ...callKinds,
    path: text('"/etc"'),
    directory: text(),
  } satisfies KindsOf<PutDirectoryOptions>,
};
const saveKinds = {
  ...callKinds,
  platforms: listOf(platform, '{ os: "linux", architecture: "amd64" }'),
} satisfies KindsOf<SaveOptions>;
/** What the calls on images take. */
export const imageKinds = {
  pull: {
    ...callKinds,
    registryAuth: object,
    platform: text('"linux/amd64"'),
    onProgress: callback,
  } satisfies KindsOf<PullOptions>,
  push: { ...callKinds, registryAuth: object, onProgress: callback } satisfies KindsOf<PushOptions>,
  remoteDigest: { ...callKinds, registryAuth: object },
  save: saveKinds,
  load: { ...saveKinds, onProgress: callback } satisfies KindsOf<LoadOptions>,
  list: { ...listKinds, all: flag, manifests: flag },
  prune: listKinds,
  remove: { ...callKinds, force: flag, noPrune: flag },
};
const processKinds = { user: text(), workingDir: text(), env: listOf(text(), '"NAME=value"') };
/** What {@link dialProgramBySsh} takes. */
export const sshProgramKinds = { command: callback, what: text() } satisfies KindsOf<SshProgram>;
/** What the calls on processes in containers take. */
export const execKinds = {
  create: {
    ...callKinds,
    ...processKinds,
    cmd: words,
    attachStdin: flag,
    tty: flag,
    privileged: flag,
  } satisfies KindsOf<ExecCreateOptions>,
  start: { ...callKinds, ...streamKinds } satisfies KindsOf<CallOptions & ExecStreamOptions>,
  stream: streamKinds,
  run: {
    ...callKinds,
    ...processKinds,
    stdin: either(
      "a text or bytes",
      text(),
      kind("bytes", (value) => bytesOf(value) !== undefined),
    ),
  } satisfies KindsOf<RunOptions>,
  dial: { speaks: oneOf("http2", "anything"), onStderr: callback } satisfies KindsOf<ExecDialOptions>,
};
/** What {@link EngineClient.events} takes. */
export const eventsKinds = { ...listKinds, since: time, until: time } satisfies KindsOf<EventsOptions>;
/** What removing a volume takes. */
export const removeVolumeKinds = { ...callKinds, force: flag };
