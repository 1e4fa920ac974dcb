import fs from "node:fs";
import path from "node:path";
import { GiB, directory } from "../inputs.mjs";
import { generated } from "./exports.mjs";

const engines = ["docker", "docker-containerd"];
const both = (targets) => ({ exec: targets, socket: targets });
/** Images of one big layer, another one for each workload: what one has loaded, the others must not find. */
const image = (bench, id) => generated(bench, `image-${id}`, "/dev/urandom", GiB);

/** Each client has names of its own in the engine: what one has loaded is none of the other's doing. */
const nameFor = (id, way) => `bench-${id}-${way === "buildx" ? "buildx" : "slipway"}`;

function load(bench, way, id, context) {
  return bench.build(way, "filled", [context, "--load", "-t", nameFor(id, way)]);
}

/** A layer of 1 GiB that stays, and a small one above it. */
function layered({ scratch }) {
  return directory(scratch, "layered", (dir) => {
    const lines = [`RUN head -c ${GiB} /dev/urandom > /big`, "COPY small /"];
    fs.writeFileSync(path.join(dir, "Dockerfile"), `FROM busybox\n${lines.join("\n")}\n`);
    change(dir);
  });
}

function change(dir) {
  fs.writeFileSync(path.join(dir, "small"), `${process.hrtime.bigint()}\n`);
}

/** Where slipway keeps what it saved from engines. */
function savedImages({ BUILDX_CONFIG, DOCKER_CONFIG, HOME = "/root" } = process.env) {
  const store = BUILDX_CONFIG ?? path.join(DOCKER_CONFIG ?? path.join(HOME, ".docker"), "buildx");
  return path.join(store, "slipway", "engine-images");
}

/** A build on the image in the engine, from which it is saved anew unless it was before. */
function fromEngine(bench) {
  const context = directory(bench.scratch, "on-engine-image", (dir) => {
    fs.writeFileSync(path.join(dir, "Dockerfile"), `FROM ${nameFor("base", "socket")}\n`);
  });
  return bench.build("socket", "filled", [context, "--engine-images", "-o", "type=cacheonly"]);
}

/** Images on their way into the engine. @type {Partial<import("../workloads.mjs").Workload>[]} */
export const loads = [
  {
    id: "load-first",
    title: "`--load` of 1 GiB, the first time",
    seconds: [60, 60],
    engines,
    targets: both({ wall: 0.6, cpu: 0.7 }),
    prepare: (bench) => load(bench, "socket", "first", image(bench, "first")),
    reset(bench) {
      for (const way of ["buildx", "socket"]) bench.removeImage(nameFor("first", way));
    },
    run: (bench, way) => load(bench, way, "first", image(bench, "first")),
  },
  {
    id: "load-unchanged",
    title: "`--load` of 1 GiB, unchanged",
    seconds: [60, 40],
    engines,
    targets: both({ wall: 0.03, cpu: 0.1 }),
    async prepare(bench) {
      for (const way of ["buildx", "socket"]) await load(bench, way, "unchanged", image(bench, "unchanged"));
    },
    run: (bench, way) => load(bench, way, "unchanged", image(bench, "unchanged")),
  },
  {
    id: "load-changed",
    title: "`--load` of 1 GiB, one small layer changed",
    seconds: [60, 40],
    engines,
    targets: both({ wall: 0.05, cpu: 0.1 }),
    async prepare(bench) {
      for (const way of ["buildx", "socket"]) await load(bench, way, "changed", layered(bench));
    },
    reset: (bench) => change(layered(bench)),
    run: (bench, way) => load(bench, way, "changed", layered(bench)),
  },
  {
    id: "engine-image",
    title: "base image of 1 GiB from the engine, `--engine-images`, first against again",
    seconds: [60, 60],
    // buildx cannot do that: what the engine has saved already is the measure.
    ways: ["again", "first"],
    targets: { again: { rss: 150e6 }, first: { rss: 150e6 } },
    prepare: (bench) => load(bench, "socket", "base", image(bench, "base")),
    reset(_bench, way) {
      if (way === "first") fs.rmSync(savedImages(), { recursive: true, force: true });
    },
    run: fromEngine,
  },
];
