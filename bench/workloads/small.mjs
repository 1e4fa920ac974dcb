import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { together } from "../measure.mjs";
import { directory, noise, sourceTree } from "../inputs.mjs";

const libraryBuilds = fileURLToPath(new URL("../library-builds.mjs", import.meta.url));

const readFileScript = fileURLToPath(new URL("../read-file.mjs", import.meta.url));

function smallContext({ scratch }) {
  return directory(scratch, "small", (dir) => {
    fs.writeFileSync(path.join(dir, "Dockerfile"), "FROM busybox\nCOPY hello /\nRUN cat /hello\n");
    fs.writeFileSync(path.join(dir, "hello"), "hello\n");
  });
}

/** Eight contexts, each of 1,000 small files and one of 32 MiB. */
function eightContexts({ scratch }) {
  return Array.from({ length: 8 }, (_, index) =>
    directory(scratch, `parallel-${index}`, (dir) => {
      fs.writeFileSync(path.join(dir, "Dockerfile"), "FROM scratch\nCOPY . /\n");
      sourceTree(dir, 1000);
      noise(path.join(dir, "big"), 32 << 20);
    }),
  );
}

/**
 * The same cached build by each Node that is supported, with a code cache of its own; after three builds that is complete.
 */
function cachedOn(line, target) {
  const options = (bench) => {
    const node = process.env.TESTBED_NODES.split(":").find((each) => each.includes(`/node-${line}.`));
    const PATH = `${path.dirname(node)}${path.delimiter}${process.env.PATH}`;
    return { env: { PATH, XDG_CACHE_HOME: path.join(bench.scratch, `cache-${line}`) } };
  };
  const build = (bench, way) =>
    bench.build(way, "filled", [smallContext(bench), "-o", "type=cacheonly"], options(bench));
  return {
    id: `cached-node-${line}`,
    title: `cached small build, the command on Node ${line}`,
    seconds: [10, 1],
    ways: ["buildx", "socket"],
    targets: { socket: { wall: target } },
    repeat: 4,
    async prepare(bench) {
      for (const way of ["buildx", "socket", "socket", "socket"]) await build(bench, way);
    },
    run: build,
  };
}

const cached = {
  async prepare(bench) {
    for (const way of ["buildx", "exec", "socket"])
      await bench.build(way, "filled", [smallContext(bench), "-o", "type=cacheonly"]);
  },
};

/** What takes little by itself: starting, cached builds, several of them. @type {Partial<import("../workloads.mjs").Workload>[]} */
export const small = [
  {
    id: "version",
    title: "`slipway version`, against `node -e 0`",
    seconds: [1, 1],
    ways: ["node", "slipway"],
    targets: { slipway: { wall: 1.3 } },
    repeat: 4,
    prepare: ({ measure }) => measure(["slipway", "version"]),
    run: ({ measure }, way) => measure(way === "node" ? ["node", "-e", "0"] : ["slipway", "version"]),
  },
  {
    id: "cached",
    title: "cached small build, the command",
    seconds: [10, 2],
    targets: { exec: { wall: 1.0 }, socket: { wall: 1.0 } },
    repeat: 4,
    ...cached,
    run: (bench, way) => bench.build(way, "filled", [smallContext(bench), "-o", "type=cacheonly"]),
  },
  cachedOn("20", 1.2),
  cachedOn("22", 1.0),
  cachedOn("24", 1.0),
  cachedOn("26", 1.0),
  {
    id: "cached-library",
    title: "cached small build, the warm library (one of 20)",
    seconds: [5, 10],
    ...cached,
    async run(bench, way) {
      if (way === "buildx")
        return await bench.build(way, "filled", [smallContext(bench), "-o", "type=cacheonly"]);
      return await runLibrary(bench, way);
    },
  },
  {
    id: "read-file",
    title:
      "one file of an unchanged build, from its result, against `--load` and a container that runs `cat` (one of 10)",
    seconds: [10, 10],
    ways: ["load", "open"],
    targets: { open: { wall: 0.5 } },
    prepare: (bench) => bench.build("socket", "filled", [smallContext(bench), "-o", "type=cacheonly"]),
    run: (bench, way) => readFile(bench, way),
  },
  {
    id: "parallel",
    title: "eight builds at once, each of 1,000 files and 32 MiB (RSS of all)",
    seconds: [10, 40],
    reset: (bench) => bench.empty(),
    async run(bench, way) {
      const builds = eightContexts(bench).map((dir) =>
        bench.build(way, "empty", [dir, "-o", "type=cacheonly"]),
      );
      return together(await Promise.all(builds));
    },
  },
];

/** Measures itself, as {@link runLibrary} does. */
async function readFile(bench, way) {
  const report = bench.output("read-file.json");
  const command = [
    process.execPath,
    readFileScript,
    bench.builder("filled"),
    smallContext(bench),
    report,
    way,
  ];
  await bench.measure(command);
  return JSON.parse(fs.readFileSync(report, "utf8"));
}

/** The library measures itself, since only a part of what its process does counts. */
async function runLibrary(bench, way) {
  const report = bench.output("library.json");
  await bench.measure(
    [process.execPath, libraryBuilds, bench.builder("filled"), smallContext(bench), report],
    {
      env: { SLIPWAY_CONNECT: way },
    },
  );
  return JSON.parse(fs.readFileSync(report, "utf8"));
}
