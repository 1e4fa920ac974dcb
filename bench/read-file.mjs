// usage: node read-file.mjs BUILDER CONTEXT REPORT open|load
// Reads one file of an unchanged build again and again, each time over a new connection: from the result, or by loading the image
// and running `cat` in a container. Writes what one reading took to REPORT.
import fs from "node:fs";
import { EngineClient } from "../dist/lib/engine-api/index.js";
import { build, openResult } from "../dist/lib/index.js";

const [builder, context, report, way] = process.argv.slice(2);
const counted = 10;
const tag = "bench-read-file:latest";

const ways = {
  async open() {
    const result = await openResult({ builder, context });
    try {
      return (await result.readFile("/hello")).toString();
    } finally {
      await result.close();
    }
  },
  async load() {
    await build({ builder, context, load: true, tags: [tag], describe: false });
    const engine = EngineClient.open({ host: process.env.DOCKER_HOST });
    const { Id } = await engine.containers.create(undefined, {
      Image: tag,
      Cmd: ["cat", "/hello"],
      HostConfig: { NetworkMode: "none" },
    });
    try {
      await engine.containers.start(Id);
      await engine.containers.wait(Id);
      const chunks = [];
      for await (const { data } of engine.containers.logs(Id, { stdout: true })) chunks.push(data);
      return Buffer.concat(chunks).toString();
    } finally {
      await engine.containers.remove(Id, { force: true });
      await engine.close();
    }
  },
};

const once = async () => {
  const text = await ways[way]();
  if (text !== "hello\n") throw new Error(`read ${JSON.stringify(text)}`);
};
for (let warmUp = 0; warmUp < 3; warmUp += 1) await once();
const cpu = process.cpuUsage();
const began = performance.now();
for (let done = 0; done < counted; done += 1) await once();
const wall = (performance.now() - began) / 1000 / counted;
const { user, system } = process.cpuUsage(cpu);
const peak = /VmHWM:\s*(\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"));
fs.writeFileSync(
  report,
  JSON.stringify({
    wall,
    user: user / 1e6 / counted,
    system: system / 1e6 / counted,
    peakRss: Number(peak[1]) * 1024,
  }),
);
