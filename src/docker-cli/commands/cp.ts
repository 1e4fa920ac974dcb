import fs from "node:fs";
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { readInput } from "../../cli/index.js";
import { type EngineClient, EngineError, type PathStat } from "../../engine-api/index.js";
import { prepareResultFile, systemReason } from "../../fs/index.js";
import { CommandFailure } from "../command-failure.js";
import { type CopyPlace, planCopy } from "../container/plan-copy.js";
import { type DockerContext, withEngine } from "../docker-context.js";

interface CpFlags {
  archive?: boolean;
  followLink?: boolean;
}

interface ContainerPath {
  container: string;
  path: string;
}

/** As many as Linux follows. */
const mostLinks = 40;
/** Bits of Go's file modes. */
const directoryBit = 0x8000_0000;
const linkBit = 0x0800_0000;

/** `docker cp`: copies files between a container and this machine. */
export function cp(context: DockerContext): Command {
  return new Command("cp")
    .description("Copy files/folders between a container and the local filesystem")
    .usage("[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH")
    .argument("<source>")
    .argument("<destination>")
    .option("-a, --archive", "Archive mode (copy all uid/gid information)")
    .option("-L, --follow-link", "Always follow symbol link in SRC_PATH")
    .option("-q, --quiet", "Suppress progress output during copy")
    .action((source: string, destination: string, flags: CpFlags) => {
      if (source === "") throw new CommandFailure("source can not be empty");
      const from = inContainer(source);
      const to = inContainer(destination);
      if (from && to) throw new CommandFailure("copying between containers is not supported");
      if (from) return withEngine(context, (engine) => copyOut(engine, from, destination, flags, context));
      if (to) return withEngine(context, (engine) => copyIn(engine, source, to, flags, context));
      throw new CommandFailure("must specify at least one container source");
    });
}

/** `NAME:PATH`; undefined for a path here, which may have colons too (docker/cli splitCpArg). */
function inContainer(text: string): ContainerPath | undefined {
  const at = text.indexOf(":");
  if (at < 0 || text.startsWith("/") || text.startsWith(".")) return undefined;
  return { container: text.slice(0, at), path: text.slice(at + 1) };
}

async function copyOut(
  { containers }: EngineClient,
  { container, path }: ContainerPath,
  destination: string,
  { archive = false, followLink = false }: CpFlags,
  context: DockerContext,
): Promise<void> {
  const { signal, stdout } = context;
  if (destination === "") throw new CommandFailure("destination can not be empty");
  let from = path;
  if (followLink) {
    const { mode, linkTarget } = await containers.statPath(container, path, { signal });
    if ((mode & linkBit) !== 0) from = resolve(dirname(path), linkTarget);
  }
  const { stat: found, body } = await containers.getArchive(container, from, { signal });
  if (destination === "-") return stdout.copy(body, { signal });
  try {
    if (await isSpecial(destination)) return await writeInto(destination, body, signal);
    const plan = planCopy({ path: from, isDirectory: isDirectory(found) }, await localPlace(destination));
    await unpack(body, plan, { archive, signal });
  } finally {
    body.destroy();
  }
}

/** Whether there is a device, a named pipe or a socket, which stays what it is and is written to. */
async function isSpecial(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** Writes the content of the one file in an archive into what is there. */
async function writeInto(path: string, body: Readable, signal: AbortSignal): Promise<void> {
  const { extract } = await import("tar-stream");
  const file = await prepareResultFile(path);
  const entries = extract();
  const feeding = pipeline(body, entries, { signal });
  feeding.catch(() => {}); // the loop ends with the same
  for await (const entry of entries) {
    if (entry.header.type !== "file")
      throw new CommandFailure(
        `cannot copy a ${entry.header.type} into ${path}, which is neither a file nor a directory`,
      );
    await file.write(entry as unknown as Readable, signal);
  }
  await feeding;
}

async function unpack(
  body: Readable,
  { directory, rename }: { directory: string; rename: string | undefined },
  { archive, signal }: { archive: boolean; signal: AbortSignal },
): Promise<void> {
  const { extract } = await import("tar-fs");
  const target = extract(directory, {
    fs: { ...fs, createWriteStream: writeAnew },
    chown: archive,
    umask: 0,
    // Links are made as they are, and nothing is written through them.
    validateSymlinks: false,
    map: (header) => renamed(header, rename),
  } as Parameters<typeof extract>[1]);
  await pipeline(body, target as unknown as NodeJS.WritableStream, { signal });
}

/**
 * Opens a file for writing in place of what else is there: a pipe that nobody reads is never opened, a device never written to
 * (moby pkg/archive removes what is in the way, too).
 */
function writeAnew(path: string, options: Parameters<typeof fs.createWriteStream>[1]): fs.WriteStream {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isFile()) fs.unlinkSync(path);
  return fs.createWriteStream(path, options);
}

/** The first part of a name is what is copied; under another name, that is the first part. */
function renamed<T extends { name: string; linkname?: string | null; type?: string | null }>(
  header: T,
  name: string | undefined,
): T {
  if (name === undefined) return header;
  const change = (path: string) => path.replace(/^\/?[^/]*/, () => name);
  const isHardLink = header.type === "link" && header.linkname;
  return {
    ...header,
    name: change(header.name),
    ...(isHardLink && { linkname: change(header.linkname ?? "") }),
  };
}

async function copyIn(
  { containers }: EngineClient,
  source: string,
  { container, path }: ContainerPath,
  { followLink = false }: CpFlags,
  { signal, stdin }: DockerContext,
): Promise<void> {
  const place = await containerPlace(containers, container, path, signal);
  const put = (directory: string, body: AsyncIterable<Uint8Array>) =>
    containers.putArchive(container, { path: directory, body, noOverwriteDirNonDir: true, signal });
  if (source === "-") {
    if (place.kind !== "directory")
      throw new CommandFailure(`destination "${container}:${path}" must be a directory`);
    return readInput({ stdin, signal }, (input) => put(place.path, input));
  }
  const from = followLink ? await looked(source, (path) => realpath(path)) : resolve(source);
  const isFolder = (await looked(from, /\/\.?$/.test(source) ? stat : lstat)).isDirectory();
  const { directory, rename, isContent } = planCopy({ path: source, isDirectory: isFolder }, place);
  const { pack } = await import("tar-fs");
  const name = basename(from);
  const head = isContent ? "." : (rename ?? name);
  const body = isContent
    ? pack(from)
    : pack(dirname(from), { entries: [name], map: (header) => renamed(header, head) });
  // A streamx readable, which is iterated as one of Node.
  return put(directory, body as unknown as AsyncIterable<Uint8Array>);
}

/** What is to be copied must be there. */
async function looked<T>(path: string, look: (path: string) => Promise<T>): Promise<T> {
  try {
    return await look(path);
  } catch (cause) {
    throw new CommandFailure(`lstat ${path}: ${systemReason(cause)}`, { cause });
  }
}

/** @throws CommandFailure for a path that is nowhere. */
async function localPlace(given: string): Promise<CopyPlace> {
  const path = await followed(given);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return { path, kind: "directory" };
  if (found) return { path, kind: "file" };
  const parent = dirname(resolve(path));
  const isThere = await stat(parent)
    .then((above) => above.isDirectory())
    .catch(() => false);
  if (!isThere) throw new CommandFailure(`invalid output path: directory "${parent}" does not exist`);
  return { path, kind: "nothing" };
}

/** Where a link leads, whether anything is there or not; another path as it is. */
async function followed(given: string): Promise<string> {
  let path = given;
  for (let links = 0; links < mostLinks; links++) {
    const target = await readlink(path).catch(() => undefined);
    if (target === undefined) return path;
    path = resolve(dirname(resolve(path)), target);
  }
  throw new CommandFailure(`invalid output path: "${given}": too many levels of symbolic links`);
}

async function containerPlace(
  containers: EngineClient["containers"],
  container: string,
  path: string,
  signal: AbortSignal,
): Promise<CopyPlace> {
  const absolute = path.startsWith("/") ? path : `/${path}`;
  const statOf = async (at: string) => {
    try {
      return await containers.statPath(container, at, { signal });
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return undefined;
      throw error;
    }
  };
  const found = await statOf(absolute);
  if (!found) {
    // Tells also a container that there is not.
    await containers.inspect(container, { signal });
    return { path: absolute, kind: "nothing" };
  }
  const isLink = (found.mode & linkBit) !== 0;
  const at = isLink ? resolve(dirname(absolute), found.linkTarget) : absolute;
  const led = isLink ? await statOf(at) : found;
  if (!led) return { path: at, kind: "nothing" };
  return { path: isLink ? at : absolute, kind: isDirectory(led) ? "directory" : "file" };
}

function isDirectory({ mode }: PathStat): boolean {
  return (mode & directoryBit) !== 0;
}
