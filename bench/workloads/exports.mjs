import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GiB, directory } from "../inputs.mjs";
import { manyFiles } from "./uploads.mjs";

/** Bytes a second of the slow reader. */
const slowRate = 20e6;

/** A context whose build makes one file of so many bytes from a device, another one for each name. */
export function generated({ scratch }, name, source, size) {
  return directory(scratch, name, (dir) => {
    const command = `head -c ${size} ${source} > /big # ${name}`;
    fs.writeFileSync(
      path.join(dir, "Dockerfile"),
      `FROM busybox AS make\nRUN ${command}\nFROM scratch\nCOPY --from=make /big /\n`,
    );
  });
}

const gibibyte = (bench) => generated(bench, "generated", "/dev/urandom", GiB);
const zeros = (bench) => generated(bench, "zeros", "/dev/zero", 3 * GiB);

/**
 * An export into a file or directory, of a build that the builder has done already.
 *
 * Results of many files are `kept`, each in a new place. For minutes after files are removed, ext4 without a journal looks
 * at each inode they had before it takes one for a new file (its recently_deleted): after 50,000 of them that was 40 % of
 * the client's processor time, and whose run it hits is chance.
 */
function exporting(id, title, type, context, targets, { kept = false } = {}) {
  let place = 0;
  const arguments_ = (bench) => [
    context(bench),
    "-o",
    `type=${type},dest=${path.join(bench.scratch, `${id}-${place}`)}`,
  ];
  return {
    id,
    title,
    seconds: [30, 40],
    targets,
    // The builder compresses layers when they are exported the first time.
    prepare: (bench) => bench.build("socket", "filled", arguments_(bench)),
    reset: (bench) => (kept ? (place += 1) : bench.output(`${id}-${place}`)),
    run: (bench, way) => bench.build(way, "filled", arguments_(bench), { limit: 120 }),
  };
}

const archive = { socket: { wall: 0.4, cpu: 0.7, rss: 150e6 } };
const directoryTarget = { wall: 0.9, cpu: 0.9, rss: 200e6 };

/** Results on their way down. @type {Partial<import("../workloads.mjs").Workload>[]} */
export const exports = [
  exporting("tar", "tar out, 1 GiB", "tar", gibibyte, archive),
  exporting("oci", "OCI archive out, 1 GiB", "oci", gibibyte, archive),
  exporting(
    "local-files",
    "local directory out, 50,000 files",
    "local",
    manyFiles,
    { exec: directoryTarget, socket: directoryTarget },
    { kept: true },
  ),
  exporting("local-big", "local directory out, 1 GiB", "local", gibibyte, {}),
  {
    id: "slow-reader",
    title: "3 GiB tar to a reader of 20 MB/s (all at once)",
    seconds: [30, 200],
    targets: { exec: { rss: 200e6 }, socket: { rss: 200e6 } },
    beside: true,
    mostPairs: 1,
    prepare: (bench) => bench.build("socket", "filled", [zeros(bench), "-o", "type=cacheonly"]),
    run: (bench, way) =>
      bench.build(way, "filled", [zeros(bench), "-o", "type=tar,dest=-"], { reader: readSlowly }),
  },
];

async function readSlowly(stdout) {
  const began = performance.now();
  let read = 0;
  for await (const chunk of stdout) {
    read += chunk.length;
    const early = (read / slowRate) * 1000 - (performance.now() - began);
    if (early > 20) await delay(early);
  }
  if (read < 3 * GiB) throw new Error(`the reader got ${read} bytes only`);
}
