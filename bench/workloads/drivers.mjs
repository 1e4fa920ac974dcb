import fs from "node:fs";
import path from "node:path";
import { GiB, directory, noise } from "../inputs.mjs";
import { manyFiles } from "./uploads.mjs";

const cacheOnly = ["-o", "type=cacheonly"];
const targets = { slipway: { wall: 0.6, cpu: 0.7, rss: 150e6 } };

let unseen = 0;

/**
 * A GiB that the engine's own store has not seen: its cache is not emptied, for images would go with it. A directory of another
 * name each time: of one that it knows, a daemon asks only for the files that have changed.
 */
function bigContext({ scratch }) {
  const latest = directory(scratch, `driver-upload-${unseen}`, (made) => noise(path.join(made, "big"), GiB));
  const next = path.join(scratch, `driver-upload-${(unseen += 1)}`);
  fs.renameSync(latest, next);
  fs.writeFileSync(path.join(next, "Dockerfile"), `FROM scratch\nCOPY . /\n# ${unseen}\n`);
  return next;
}

function smallContext({ scratch }) {
  return directory(scratch, "driver-small", (dir) => {
    fs.writeFileSync(path.join(dir, "Dockerfile"), 'FROM scratch\nCOPY . /\nCMD ["/small"]\n');
    noise(path.join(dir, "small"), 1 << 20);
  });
}

/** The same of each driver whose daemon is somebody else's, beside buildx with the same driver. @type {Partial<import("../workloads.mjs").Workload>[]} */
export const drivers = [
  { driver: "docker", engines: ["docker", "docker-containerd"] },
  { driver: "remote", engines: ["docker"] },
].flatMap(({ driver, engines }) => {
  const common = { ways: ["buildx", "slipway"], engines, targets };
  const build = (bench, way, ...args) => bench.build(way, driver, args);
  // What is built by an engine's own daemon is in its store.
  const loaded = driver === "docker" ? ["-t", "bench-driver:1"] : ["--load", "-t", "bench-driver:1"];
  const plain = driver === "docker" ? [] : cacheOnly;
  return [
    {
      ...common,
      id: `${driver}-upload`,
      title: `driver ${driver}: 1 GiB up, one file`,
      seconds: [15, 60],
      // Each leaves some GiB in the daemon.
      mostPairs: 3,
      prepare: bigContext,
      run: (bench, way) => build(bench, way, bigContext(bench), ...plain),
    },
    {
      ...common,
      id: `${driver}-files`,
      title: `driver ${driver}: 50,000 files, warm`,
      seconds: [60, 30],
      prepare: async (bench) => {
        for (const way of common.ways) await build(bench, way, manyFiles(bench), ...plain);
      },
      run: (bench, way) => build(bench, way, manyFiles(bench), ...plain),
    },
    {
      ...common,
      id: `${driver}-cached`,
      title: `driver ${driver}: cached build, its image in the engine's store`,
      seconds: [5, 2],
      repeat: 4,
      targets: { slipway: { wall: 1.0, rss: 150e6 } },
      prepare: (bench) => build(bench, "buildx", smallContext(bench), ...loaded),
      run: (bench, way) => build(bench, way, smallContext(bench), ...loaded),
    },
  ];
});
