import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { type Pack, pack } from "tar-stream";

/** An archive of a Dockerfile and a file without end, which goes on as long as somebody takes it; `middle` is after 32 MiB. */
export function endlessArchive(): { archive: Pack; middle: Promise<void> } {
  const archive = pack();
  archive.entry({ name: "Dockerfile" }, "FROM scratch\nCOPY data /\n");
  const rest = archive.entry({ name: "data", size: 2 ** 40 });
  const piece = randomBytes(1 << 20);
  const middle = new Promise<void>((resolve) => {
    let count = 0;
    const more = () => {
      if (++count === 32) resolve();
      if (rest.write(piece)) setImmediate(more);
      else rest.once("drain", more);
    };
    more();
  });
  return { archive, middle };
}

/** A stream that takes no second piece, so that what is written to it is under way for certain from `middle` on. */
export function stuckStream(): { dest: Writable; middle: Promise<void> } {
  let begun = () => {};
  const middle = new Promise<void>((resolve) => (begun = resolve));
  const dest = new Writable({ write: () => begun() });
  dest.on("error", () => {});
  return { dest, middle };
}
