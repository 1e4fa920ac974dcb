import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { SlipwayError, messageOf } from "../core/index.js";
import type { OutputFile } from "./memory-output.js";

const types: Readonly<Record<string, OutputFile["type"]>> = {
  file: "file",
  "contiguous-file": "file",
  directory: "directory",
  symlink: "symlink",
  link: "link",
};

/** The files of a tar archive by path, without `./` and slashes at both ends. @throws SlipwayError `CONTENT_GAP` */
export async function readTarFiles(bytes: Buffer): Promise<Map<string, OutputFile>> {
  const files = new Map<string, OutputFile>();
  const archive = extract();
  try {
    Readable.from([bytes]).pipe(archive);
    for await (const entry of archive) {
      const parts: Buffer[] = [];
      for await (const part of entry) parts.push(part as Buffer);
      const { name, type, mode, uid, gid, linkname } = entry.header;
      const path = name
        .split("/")
        .filter((part) => part !== "" && part !== ".")
        .join("/");
      files.set(path, {
        type: types[type ?? "file"] ?? "other",
        content: Buffer.concat(parts),
        mode: mode & 0o7777,
        uid,
        gid,
        ...(linkname && { target: linkname }),
      });
    }
  } catch (error) {
    throw new SlipwayError("CONTENT_GAP", `the output is no whole tar archive: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return files;
}
