import { type BuildkitError, type fsutil } from "../../buildkit/index.js";
import { SlipwayError, isSlipwayError, messageOf } from "../../core/index.js";
import { goMode, posixPermissions } from "../../fs/index.js";
import type { Gateway } from "../gateway-drive.js";

/** What is known of one name in a result. */
export interface ResultEntry {
  name: string;
  type: "file" | "directory" | "symlink" | "other";
  /** Permission bits with setuid, setgid and sticky, e.g. `0o755`. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes. */
  size: number;
  mtime: Date;
  /** Where a symlink leads. */
  target?: string;
}

/** Options of reading from a result. */
export interface ReadResultOptions {
  /** E.g. `linux/arm64`; needed when the build was for several. */
  platform?: string;
  signal?: AbortSignal;
}

/** Options of reading a file: which part of it. */
export interface ReadResultFileOptions extends ReadResultOptions {
  /** First byte; default 0. */
  offset?: number;
  /** Bytes at most; default all, of a file of at most 256 MiB. */
  length?: number;
}

/** How files are asked for: of a reference, or of the container of a step that failed. */
export type FileCalls = Pick<Gateway, "readFile" | "readDir" | "statFile">;

/** A file system in the daemon. */
export interface FileSystem {
  calls: FileCalls;
  /** Id of the reference or of the container; empty for nothing at all. */
  id: string;
  /** What of a container's mounts a path is in, and the path there. */
  locate(path: string): { path: string; mountIndex: number };
}

/** Bytes of one message; the daemon's own limit is 16 MiB (BK util/appdefaults). */
const pieceBytes = 4 << 20;

/** Of a file whose length nobody bounded: the daemon could go on for ever. */
const largestFile = 256 << 20;

/** gRPC's code for what a server does not know. */
const unimplemented = 12;

/**
 * Reads a file, or a part of it.
 *
 * @throws SlipwayError `RESULT_FILE` that names the path
 */
export async function readFile(
  files: FileSystem,
  path: string,
  { offset = 0, length, signal }: ReadResultFileOptions,
): Promise<Buffer> {
  const { path: FilePath, mountIndex: MountIndex } = files.locate(path);
  const { stat } = await asked(path, () =>
    files.calls.statFile({ Ref: files.id, Path: FilePath, MountIndex }, { signal }),
  );
  if (stat && (stat.mode & goMode.dir) !== 0)
    throw new SlipwayError("RESULT_FILE", `${path} in the result is a directory`);
  const pieces: Buffer[] = [];
  let total = 0;
  const end = offset + (length ?? largestFile + 1);
  for await (const piece of filePieces(files, path, { offset, end, signal })) {
    pieces.push(piece);
    total += piece.length;
  }
  if (length === undefined && total > largestFile)
    throw new SlipwayError(
      "RESULT_FILE",
      `${path} in the result has more than ${largestFile} bytes: read it in parts, by offset and length`,
    );
  return Buffer.concat(pieces);
}

/**
 * What is in a file from `offset` to `end` or its end, in pieces: by what comes and not by the size, which a link does not tell, and
 * which is only what the daemon claims.
 *
 * @throws SlipwayError `RESULT_FILE` that names the path
 */
export async function* filePieces(
  files: FileSystem,
  path: string,
  { offset, end, signal }: { offset: number; end: number; signal: AbortSignal | undefined },
): AsyncGenerator<Buffer, void> {
  const { path: FilePath, mountIndex: MountIndex } = files.locate(path);
  for (let at = offset; at < end;) {
    const wanted = Math.min(pieceBytes, end - at);
    const Range = { Offset: BigInt(at), Length: BigInt(wanted) };
    const { Data } = await asked(path, () =>
      files.calls.readFile({ Ref: files.id, FilePath, Range, MountIndex }, { signal }),
    );
    if (Data.length > wanted)
      throw new SlipwayError("BUILDER_CLAIM", `the builder sent more of ${path} than was asked for`);
    at += Data.length;
    // What is a view into a message would keep all of it.
    yield Buffer.from(Data);
    if (Data.length < wanted) return;
  }
}

/**
 * Lists a directory, by names.
 *
 * @throws SlipwayError `RESULT_FILE` that names the path
 */
export async function readDirectory(
  files: FileSystem,
  path: string,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<ResultEntry[]> {
  const { path: DirPath, mountIndex: MountIndex } = files.locate(path);
  const { entries } = await asked(path, () =>
    files.calls.readDir({ Ref: files.id, DirPath, MountIndex }, { signal }),
  );
  return entries.map((stat) => {
    const entry = toEntry(stat);
    // Whoever joins it to a path would be led elsewhere.
    if (entry.name === "" || entry.name === "." || entry.name === "..")
      throw new SlipwayError(
        "BUILDER_CLAIM",
        `the builder tells of ${JSON.stringify(entry.name)} in ${path}`,
      );
    return entry;
  });
}

/**
 * Tells of one path; links are not followed.
 *
 * @throws SlipwayError `RESULT_FILE` that names the path
 */
export async function statFile(
  files: FileSystem,
  path: string,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<ResultEntry> {
  const { path: Path, mountIndex: MountIndex } = files.locate(path);
  const { stat } = await asked(path, () =>
    files.calls.statFile({ Ref: files.id, Path, MountIndex }, { signal }),
  );
  if (!stat) throw new SlipwayError("RESULT_FILE", `the builder tells nothing of ${path}`);
  return toEntry(stat);
}

async function asked<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isSlipwayError(error, "BUILDKIT_STATUS")) throw error;
    if ((error as BuildkitError).grpcCode === unimplemented)
      throw new SlipwayError(
        "BUILDKIT_TOO_OLD",
        `this BuildKit does not read files of a step that failed (${path}); read them by exec(["cat", …]), or use v0.28 or later`,
        { cause: error },
      );
    // The daemon names the path under its own mount point.
    const text = messageOf(error).split(" ").map(withoutMountPoint).join(" ");
    throw new SlipwayError("RESULT_FILE", `${path} cannot be read from the result: ${text}`, {
      cause: error,
    });
  }
}

function withoutMountPoint(word: string): string {
  const mount = "/buildkit-mount";
  const at = word.indexOf(mount);
  if (at < 0) return word;
  return word.slice(0, word.indexOf("/")) + word.slice(at + mount.length).replace(/^\d+/, "");
}

function toEntry({ path, mode, uid, gid, size, modTime, linkname }: fsutil.Stat): ResultEntry {
  const name = textOf(path);
  const type = typeOf(mode);
  return {
    name: name.slice(name.lastIndexOf("/") + 1),
    type,
    mode: posixPermissions(mode),
    uid,
    gid,
    size: Number(size),
    mtime: new Date(Number(modTime / 1_000_000n)),
    ...(type === "symlink" && { target: textOf(linkname) }),
  };
}

function typeOf(mode: number): ResultEntry["type"] {
  if ((mode & goMode.dir) !== 0) return "directory";
  if ((mode & goMode.symlink) !== 0) return "symlink";
  return (mode & goMode.type) === 0 ? "file" : "other";
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
