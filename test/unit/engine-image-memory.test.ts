import { createServer } from "node:http";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { pack } from "tar-stream";
import { runAttack } from "../support/attack.js";

const mebibyte = 1 << 20;
/** A layer's size, in MiB: as large as takes a second or two. bench/ has the row of 1 GiB. */
const layer = 256;
/**
 * Resident set that taking an image may have, whatever the image's size, in MiB. 103 to 126 by the version of Node, of which it
 * has more than half before it begins (measured; issue 14, item 4, wants 150); the rest is for machines that have much to do.
 */
const mostMebibytes = 192;

/** An engine that saves an image with a layer of zeros, as fast as that is taken. */
function engine(socket: Socket): void {
  const server = createServer((request, response) => {
    response.setHeader("Api-Version", "1.41");
    if (!request.url?.includes("/images/get")) {
      response.end("OK");
      return;
    }
    const archive = pack();
    response.setHeader("Content-Type", "application/x-tar");
    pipeline(archive as unknown as Readable, response).catch(() => {}); // the client is gone
    archive.entry({ name: "config.json" }, "{}");
    archive.entry(
      { name: "manifest.json" },
      JSON.stringify([{ Config: "config.json", Layers: ["layer.tar"] }]),
    );
    const entry = archive.entry({ name: "layer.tar", size: layer * mebibyte }, () =>
      archive.finalize(),
    ) as unknown as Writable;
    const zeros = Buffer.alloc(mebibyte);
    let sent = 0;
    const send = () => {
      while (sent < layer) {
        sent++;
        if (entry.write(zeros)) continue;
        entry.once("drain", send);
        return;
      }
      entry.end();
    };
    send();
  });
  server.emit("connection", socket);
}

test(
  `MEM-3 an image of the engine's takes no more than ${mostMebibytes} MB, however large it is`,
  { timeout: 120_000 },
  async () => {
    const { code, message, peakMebibytes } = await runAttack({ use: "engineImage", serve: engine });
    expect(`${code}${message}`).toBe("");
    expect(peakMebibytes).toBeLessThanOrEqual(mostMebibytes);
  },
);
