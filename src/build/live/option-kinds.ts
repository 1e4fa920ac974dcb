import {
  type Kind,
  amount,
  bytesOf,
  either,
  flag,
  isByteSource,
  isByteTarget,
  kind,
  listOf,
  mapOf,
  shape,
  signal,
  text,
} from "../../core/index.js";
import type { ReadResultFileOptions, ReadResultOptions } from "./file-system.js";
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
} satisfies Record<keyof Required<ExecOptions>, Kind>;

/** A command with its arguments. */
export const argvKind = listOf(text(), '"sh"');
