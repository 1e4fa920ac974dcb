import { createHash } from "node:crypto";
import fs from "node:fs";

/** Lines that describe every entry below a directory: path, kind, mode, size, content or link, hard links, and time. */
export function describeTree(root: string, { times = true } = {}): string[] {
  const lines: string[] = [];
  const inodes = new Map<bigint, string>();
  const walk = (directory: Buffer, prefix: string) => {
    const entries = fs.readdirSync(directory, { encoding: "buffer" }).sort((a, b) => Buffer.compare(a, b));
    for (const name of entries) {
      const file = Buffer.concat([directory, Buffer.from("/"), name]);
      // Bytes as Latin-1, escaped: every name has a line of its own, whatever its bytes are.
      const shown = prefix + JSON.stringify(name.toString("latin1")).slice(1, -1);
      const entry = fs.lstatSync(file, { bigint: true });
      const fields = [shown, entry.mode.toString(8)];
      if (entry.isSymbolicLink()) {
        const target = fs.readlinkSync(file, { encoding: "buffer" });
        fields.push(`-> ${JSON.stringify(target.toString("latin1"))}`);
      } else if (entry.isFile()) {
        const first = inodes.get(entry.ino);
        if (entry.nlink > 1n && first !== undefined) fields.push(`= ${first}`);
        else
          fields.push(
            String(entry.size),
            createHash("sha256").update(fs.readFileSync(file)).digest("hex").slice(0, 16),
          );
        inodes.set(entry.ino, first ?? shown);
      }
      if (times) fields.push(String(entry.mtimeNs / 1000n));
      lines.push(fields.join(" "));
      if (entry.isDirectory()) walk(file, `${shown}/`);
    }
  };
  walk(Buffer.from(root), "");
  return lines;
}
