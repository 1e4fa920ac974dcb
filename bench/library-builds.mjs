// usage: node library-builds.mjs BUILDER CONTEXT REPORT
// Builds CONTEXT again and again over one warm connection of the library and writes what one build took to REPORT.
import fs from "node:fs";
import { connect } from "../dist/lib/index.js";

const [builder, context, report] = process.argv.slice(2);
const counted = 20;

const connection = await connect({ builder });
const once = () => connection.build({ context, outputs: [{ type: "cacheonly" }] });
for (let warmUp = 0; warmUp < 5; warmUp += 1) await once();
const cpu = process.cpuUsage();
const began = performance.now();
for (let done = 0; done < counted; done += 1) await once();
const wall = (performance.now() - began) / 1000 / counted;
const { user, system } = process.cpuUsage(cpu);
await connection.close();
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
