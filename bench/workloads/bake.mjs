import fs from "node:fs";
import path from "node:path";
import { directory, sourceTree } from "../inputs.mjs";

const socket = ["buildx", "socket"];
const eight = Array.from({ length: 8 }, (_, index) => index);

/** 300 targets that inherit, with variables, a function and a matrix among them. */
function manyTargets({ scratch }) {
  return directory(scratch, "bake-print", (dir) => {
    const head =
      'variable "TAG" { default = "1" }\nfunction "ref" {\n  params = [name]\n  result = "example/${name}:${TAG}"\n}\ntarget "_base" {\n  args = { A = "1", B = TAG }\n  platforms = ["linux/amd64", "linux/arm64"]\n}\n';
    const targets = Array.from(
      { length: 300 },
      (_, index) =>
        `target "t${index}" {\n  inherits = ["_base"]\n  tags = [ref("t${index}"), "example/t${index}:latest"]\n  args = { N = ${index} + 1, C = target._base.args.A }\n  labels = { "org.example.name" = "t${index}" }\n}\n`,
    );
    fs.writeFileSync(path.join(dir, "docker-bake.hcl"), head + targets.join(""));
  });
}

/** Eight targets on one context of 20,000 files, with one Dockerfile or one of their own, that copies an eighth. */
function shared({ scratch }, name, dockerfileOf) {
  return directory(scratch, name, (dir) => {
    fs.mkdirSync(path.join(dir, "ctx"));
    sourceTree(path.join(dir, "ctx"), 20_000);
    const targets = eight.map((index) => {
      fs.writeFileSync(path.join(dir, `${index}.Dockerfile`), dockerfileOf(index));
      return `target "t${index}" {\n  context = "ctx"\n  dockerfile = "../${index}.Dockerfile"\n  args = { N = "${index}" }\n  output = ["type=cacheonly"]\n}\n`;
    });
    const names = eight.map((index) => `"t${index}"`).join(", ");
    fs.writeFileSync(
      path.join(dir, "docker-bake.hcl"),
      `group "default" { targets = [${names}] }\n${targets.join("")}`,
    );
  });
}

const whole = () => "FROM scratch\nARG N\nCOPY . /\n";
const part = (index) => `FROM scratch\nCOPY d${index} /\n`;

/** Eight images over one layer of 64 MiB. */
function overOneLayer({ scratch }) {
  return directory(scratch, "bake-load", (dir) => {
    const targets = eight.map(
      (index) =>
        `target "t${index}" {\n  dockerfile-inline = "FROM busybox\\nRUN head -c 67108864 /dev/urandom >/big\\nARG N\\nRUN echo $N >/n"\n  args = { N = "${index}" }\n  tags = ["bench-bake-\${WAY}:${index}"]\n}\n`,
    );
    const names = eight.map((index) => `"t${index}"`).join(", ");
    fs.writeFileSync(
      path.join(dir, "docker-bake.hcl"),
      `variable "WAY" {}\ngroup "default" { targets = [${names}] }\n${targets.join("")}`,
    );
  });
}

const load = (bench, way) => bench.bake(way, overOneLayer(bench), ["--load", "--var", `WAY=${way}`]);

/** Prepares by one run of each way. */
const once = (run) => async (bench) => {
  for (const way of socket) await run(bench, way);
};

function warm(id, title, make) {
  const run = (bench, way) => bench.bake(way, make(bench));
  return {
    id,
    title,
    seconds: [10, 5],
    ways: socket,
    targets: { socket: { wall: 1.05 } },
    prepare: once(run),
    run,
  };
}

/** Definitions, and many targets in one go. @type {Partial<import("../workloads.mjs").Workload>[]} */
export const bake = [
  {
    id: "bake-print",
    title: "`bake --print` of 300 targets",
    seconds: [1, 2],
    ways: socket,
    targets: { socket: { wall: 1.2 } },
    repeat: 2,
    prepare: manyTargets,
    run: (bench, way) => bench.bake(way, manyTargets(bench), ["--print", "*"]),
  },
  warm("bake-shared", "`bake` of eight targets on one context of 20,000 files, warm", (bench) =>
    shared(bench, "bake-shared", whole),
  ),
  warm("bake-parts", "the same, each target copies an eighth", (bench) => shared(bench, "bake-parts", part)),
  {
    id: "bake-load",
    title: "`bake --load` of eight images over one layer of 64 MiB, unchanged",
    seconds: [60, 20],
    ways: socket,
    targets: { socket: { wall: 0.1 } },
    prepare: once(load),
    run: load,
  },
];
