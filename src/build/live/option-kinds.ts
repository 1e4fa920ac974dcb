import {
  type Kind,
  amount,
  bytesOf,
  callback,
  either,
  flag,
  isByteSource,
  isByteTarget,
  kind,
  listOf,
  mapOf,
  nameOf,
  oneOf,
  shape,
  signal,
  text,
} from "../../core/index.js";
import type { ReadResultFileOptions, ReadResultOptions } from "./file-system.js";
import type { ExportOptions } from "./open-result.js";
import type { ExecOptions } from "./process.js";

/** What reading of a result takes. */
export const readKinds = {
  platform: text('"linux/arm64"'),
  signal,
} satisfies Record<keyof Required<ReadResultOptions>, Kind>;

/** What reading a file of a result takes. */
export const readFileKinds = {
  ...readKinds,
  offset: amount("bytes"),
  length: amount("bytes"),
} satisfies Record<keyof Required<ReadResultFileOptions>, Kind>;

const target = kind("a stream", isByteTarget);
/** The size of a terminal. */
export const sizeKind = shape("a size", { columns: amount("characters"), rows: amount("characters") }, [
  "columns",
  "rows",
]);

const mode = kind(
  "permission bits, such as 0o400",
  (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0o7777,
);

/** What mounts are, by their types: what each takes, and what it must have. */
const mounts: Readonly<Record<string, Kind>> = {
  bind: shape(
    "a bind mount",
    { type: text(), target: text(), source: text(), platform: text(), readonly: flag },
    ["target"],
  ),
  image: shape(
    "an image",
    { type: text(), target: text(), image: text(), source: text(), platform: text(), readonly: flag },
    ["target", "image"],
  ),
  tmpfs: shape("a tmpfs", { type: text(), target: text(), size: amount("bytes") }, ["target"]),
  cache: shape(
    "a cache",
    { type: text(), target: text(), id: text(), sharing: oneOf("shared", "private", "locked") },
    ["target"],
  ),
  secret: shape("a secret", { type: text(), target: text(), id: text(), mode, optional: flag }, [
    "target",
    "id",
  ]),
  ssh: shape("an ssh agent", { type: text(), target: text(), id: text(), mode, optional: flag }, ["target"]),
};

const mountTypes = Object.keys(mounts).join(", ");

/** By its type, so that what is told is a fault of what was meant. */
const mount: Kind = {
  is: `{ type, target, … } with a type of ${mountTypes}`,
  fault(value) {
    const type: unknown =
      typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
    const one = typeof type === "string" && Object.hasOwn(mounts, type) ? mounts[type] : undefined;
    return one ? one.fault(value) : { path: "", problem: `must be ${this.is}, not ${nameOf(value)}` };
  },
};

/** What exporting a result takes. */
export const exportKinds = {
  tags: listOf(text(), '"app:1"'),
  onEvent: callback,
  signal,
} satisfies Record<keyof Required<ExportOptions>, Kind>;

/** What running a command in a result takes. */
export const execKinds = {
  ...readKinds,
  env: mapOf(text(), '{ CI: "1" }'),
  cwd: text('"/srv"'),
  user: text('"root"'),
  stdin: kind("a text, bytes or a stream", (value) => bytesOf(value) !== undefined || isByteSource(value)),
  stdout: target,
  stderr: target,
  tty: either("true, false or a size", flag, sizeKind),
  resizes: kind(
    "an async iterable of sizes",
    (value) => typeof value === "object" && value !== null && Symbol.asyncIterator in value,
  ),
  maxOutput: amount("bytes"),
  mounts: listOf(mount, '{ type: "tmpfs", target: "/tmp" }'),
} satisfies Record<keyof Required<ExecOptions>, Kind>;

/** A command with its arguments. */
export const argvKind = listOf(text(), '"sh"');
