import {
  type Kind,
  amount,
  bytesOf,
  callback,
  either,
  environment,
  flag,
  isBlob,
  isByteSource,
  isByteTarget,
  kind,
  listOf,
  mapOf,
  nameOf,
  object,
  oneOf,
  shape,
  signal,
  text,
} from "../core/index.js";
import type { BuildOptions } from "./build-options.js";
import type { BuildCallOptions } from "./build.js";
import type { OpenCallOptions } from "./open-result.js";
import type { ConnectTarget } from "./connection.js";
import type { MemoryOutputOptions } from "./memory-output.js";
import type { PlanOptions } from "./build-plan.js";

const bytes = kind("bytes (a Uint8Array or an ArrayBuffer)", (value) => bytesOf(value) !== undefined);

const mode = kind(
  "permission bits, such as 0o755",
  (value) => Number.isInteger(value) && (value as number) >= 0,
);
const date = kind("a Date", (value) => Object.prototype.toString.call(value) === "[object Date]");
const content = kind(
  "a text or bytes (a Uint8Array, an ArrayBuffer or a Blob)",
  (value) => bytesOf(value) !== undefined || isBlob(value),
);
const memoryFile: Kind = {
  is: `${content.is}, { content } or { symlink }`,
  fault(value) {
    const isOwnShape =
      typeof value === "object" && value !== null && ("content" in value || "symlink" in value);
    if (!isOwnShape || isBlob(value))
      return content.fault(value) && { path: "", problem: `must be ${this.is}, not ${nameOf(value)}` };
    return shape("a file", { content, mode, mtime: date, symlink: text() }).fault(value);
  },
};

/** By its type, so that what is told is a fault of what was meant. */
const contexts: Readonly<Record<string, Kind>> = {
  directory: shape("a directory", { type: text(), path: text() }, ["path"]),
  files: shape("files", { type: text(), files: mapOf(memoryFile, '{ Dockerfile: "FROM scratch" }') }, [
    "files",
  ]),
  tar: shape(
    "an archive",
    {
      type: text(),
      stream: kind(
        "a stream or bytes",
        (value) => bytesOf(value) !== undefined || isBlob(value) || isByteSource(value),
      ),
    },
    ["stream"],
  ),
  remote: shape("a URL", { type: text(), url: text() }, ["url"]),
};

const contextSource: Kind = {
  is: "a directory or URL as a text, or one of dir(), files(), tar() and git()",
  fault(value) {
    if (typeof value === "string") return undefined;
    const type: unknown =
      typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
    const one = typeof type === "string" && Object.hasOwn(contexts, type) ? contexts[type] : undefined;
    return one ? one.fault(value) : { path: "", problem: `must be ${this.is}, not ${nameOf(value)}` };
  },
};

const attrs = mapOf(text('"true"'), '{ compression: "zstd" }');

/** An object; of one that came as a text it is told how the command's words are read. */
function described(one: Kind, way: string): Kind {
  return {
    is: one.is,
    fault: (value) =>
      typeof value === "string"
        ? { path: "", problem: `must be ${one.is}, not a text; ${way} reads the command's words` }
        : one.fault(value),
  };
}

const output = described(
  shape(
    "an object",
    {
      type: text(),
      dest: either("a path or a stream to write to", text(), kind("a stream", isByteTarget)),
      attrs,
    },
    ["type"],
    "what an exporter takes belongs in attrs",
  ),
  "parseOutput()",
);

/** Where a result goes. */
export const outputsKind = listOf(output, '{ type: "cacheonly" }');

const cache = described(
  shape("an object", { type: text(), attrs }, ["type"], "what a cache takes belongs in attrs"),
  "parseCache()",
);

const secret = either(
  "the value itself (a text or bytes), { file }, { env } or a function",
  text(),
  bytes,
  callback,
  shape("a source", { file: text(), env: text() }),
);

/** Where builds run. */
export const connectKinds = {
  builder: either(
    "a builder's name or a Builder",
    text(),
    kind(
      "a Builder",
      (value) => typeof value === "object" && value !== null && "group" in value && "nodes" in value,
    ),
  ),
  address: text('"unix:///run/buildkit/buildkitd.sock"'),
  tls: object,
  dial: callback,
  env: environment,
  onEvent: callback,
  signal,
} satisfies Record<keyof Required<ConnectTarget>, Kind>;

/** What builds take. The examples of lists are such as work; a test tries each. */
export const buildKinds = {
  context: contextSource,
  file: text('"Dockerfile"'),
  dockerfile: either("the Dockerfile's text, or bytes", text(), bytes),
  tags: listOf(text(), '"app:1"'),
  target: text(),
  buildArgs: mapOf(text(), '{ VERSION: "1" }'),
  labels: mapOf(text(), '{ version: "1" }'),
  platforms: listOf(text(), '"linux/amd64"'),
  noCache: flag,
  noCacheFilter: listOf(text(), '"stage"'),
  pull: flag,
  addHosts: listOf(text(), '"host:127.0.0.1"'),
  network: text('"host"'),
  shmSize: amount("bytes"),
  ulimits: listOf(text(), '"nofile=1024"'),
  cgroupParent: text(),
  resources: listOf(text(), '"memory=2g"'),
  secrets: mapOf(secret, '{ token: { env: "TOKEN" } }'),
  trustCa: text('"corporate-ca.pem"'),
  ssh: listOf(text(), '"default"'),
  allow: listOf(text(), '"network.host"'),
  policies: listOf(text(), '"disabled=true"'),
  policy: either("a function or a list of functions", callback, listOf(callback, "(source) => verdict")),
  policyTimeoutMilliseconds: amount("milliseconds"),
  cacheFrom: listOf(cache, '...parseCache("type=registry,ref=example/app:cache")'),
  cacheTo: listOf(cache, '{ type: "inline" }'),
  cacheMounts: shape("an object", { dir: text('"cache-mounts"'), image: text('"busybox"') }, ["dir"]),
  provenance: either('true, false or parameters, such as "mode=max"', flag, text()),
  sbom: either('true, false or parameters, such as "generator=image"', flag, text()),
  attests: listOf(text(), '"type=sbom"'),
  annotations: listOf(text(), '"key=value"'),
  buildContexts: mapOf(contextSource, '{ base: "docker-image://alpine" }'),
  engineImages: either(
    "true, false or { allow }",
    flag,
    shape("images", { allow: listOf(text(), '"app:1"') }, ["allow"]),
  ),
  contextRace: oneOf("error", "warn"),
  retries: kind("a whole number, 0 or more", (value) => Number.isSafeInteger(value) && Number(value) >= 0),
  onFailure: oneOf("keep", "drop"),
  proxyNetwork: either(
    "true, false or { allowHosts, allow }",
    flag,
    shape("rules", { allowHosts: listOf(text(), '"example.com"'), allow: callback }),
  ),
  explain: flag,
  reproducible: flag,
  recordInputs: flag,
  outputs: outputsKind,
  load: flag,
  push: flag,
  call: text('"check"'),
  metadataProvenance: oneOf("min", "max"),
  credentials: callback,
  env: environment,
  onEvent: callback,
  signal,
} satisfies Record<keyof Required<BuildOptions>, Kind>;

/** What `memory()` takes. */
export const memoryOutputKinds = { maxBytes: amount("bytes") } satisfies Record<
  keyof Required<MemoryOutputOptions>,
  Kind
>;
/** What `build()` takes. */
export const buildCallKinds = { ...connectKinds, ...buildKinds, describe: flag } satisfies Record<
  keyof Required<BuildCallOptions>,
  Kind
>;

/** What `openResult()` takes. */
export const openCallKinds = { ...buildCallKinds, idleMilliseconds: amount("milliseconds") } satisfies Record<
  keyof Required<OpenCallOptions>,
  Kind
>;

/** What a connection's `openResult()` takes. */
export const connectionOpenKinds = {
  ...buildKinds,
  describe: flag,
  idleMilliseconds: amount("milliseconds"),
};

/** What `plan()` takes. */
export const planKinds = {
  ...buildKinds,
  cacheDir: either(
    "a directory or false",
    text(),
    kind("false", (value) => value === false),
  ),
} satisfies Record<keyof Required<PlanOptions>, Kind>;
