import fs from "node:fs";
import path from "node:path";
import { GiB, directory, ignoredTree, noise, sourceTree } from "../inputs.mjs";

const cacheOnly = ["-o", "type=cacheonly"];
const dockerfile = "FROM scratch\nCOPY . /\n";

function bigContext({ scratch }) {
  return directory(scratch, "upload", (dir) => {
    fs.writeFileSync(path.join(dir, "Dockerfile"), dockerfile);
    noise(path.join(dir, "big"), GiB);
  });
}

/** 50,000 files of 0.1 to 12 kB. */
export function manyFiles({ scratch }) {
  return directory(scratch, "many", (dir) => {
    fs.writeFileSync(path.join(dir, "Dockerfile"), dockerfile);
    sourceTree(dir, 50_000);
  });
}

let unseen = 0;

/**
 * As many files in a directory that no builder has seen: another name and another Dockerfile each time. The builder is not
 * emptied instead, see {@link exporting} in exports.mjs.
 */
function unseenFiles({ scratch }) {
  const latest = directory(scratch, `unseen-${unseen}`, (dir) => sourceTree(dir, 50_000));
  const next = path.join(scratch, `unseen-${(unseen += 1)}`);
  fs.renameSync(latest, next);
  fs.writeFileSync(path.join(next, "Dockerfile"), `${dockerfile}# ${unseen}\n`);
  return next;
}

function ignoringContext({ scratch }) {
  return directory(scratch, "ignoring", (dir) => {
    ignoredTree(dir);
    fs.writeFileSync(path.join(dir, "Dockerfile"), dockerfile);
  });
}

/** Contexts on their way up. @type {Partial<import("../workloads.mjs").Workload>[]} */
export const uploads = [
  {
    id: "upload",
    title: "1 GiB up, one file",
    seconds: [15, 50],
    targets: { exec: { wall: 1.0, cpu: 0.9, rss: 150e6 }, socket: { wall: 0.35, cpu: 0.7, rss: 150e6 } },
    prepare: bigContext,
    reset: (bench) => bench.empty(),
    run: (bench, way) => bench.build(way, "empty", [bigContext(bench), ...cacheOnly]),
  },
  {
    id: "files-cold",
    title: "50,000 files of 0.1–12 kB, cold",
    seconds: [20, 50],
    targets: targetsOfBoth({ wall: 0.9, cpu: 0.6, rss: 150e6 }),
    prepare: unseenFiles,
    run: (bench, way) => bench.build(way, "growing", [unseenFiles(bench), ...cacheOnly]),
  },
  {
    id: "files-warm",
    title: "50,000 files, warm",
    seconds: [20, 15],
    targets: targetsOfBoth({ wall: 1.0, cpu: 0.8, rss: 150e6 }),
    repeat: 2,
    async prepare(bench) {
      for (const way of ["buildx", "socket"])
        await bench.build(way, "filled", [manyFiles(bench), ...cacheOnly]);
    },
    run: (bench, way) => bench.build(way, "filled", [manyFiles(bench), ...cacheOnly]),
  },
  {
    id: "ignore",
    title: "100,000 files, 99 % of them ignored by 500 lines",
    seconds: [60, 45],
    repeat: 2,
    async prepare(bench) {
      for (const way of ["buildx", "socket"])
        await bench.build(way, "filled", [ignoringContext(bench), ...cacheOnly]);
    },
    run: (bench, way) => bench.build(way, "filled", [ignoringContext(bench), ...cacheOnly]),
  },
];

/** Over exec, all that buildx has, and over the daemon's own socket. */
function targetsOfBoth(targets) {
  return { exec: targets, socket: targets };
}
