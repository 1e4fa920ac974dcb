// Bundled by attack.ts and run as a process of its own: takes an image from a scripted engine, and tells how that ended.
import { readFileSync } from "node:fs";
import { unpackSavedImage } from "../../src/build/engine-images/saved-image.js";
import { EngineClient } from "../../src/engine-api/index.js";

const [host = "", , dest = ""] = process.argv.slice(2);
const outcome = { code: "", message: "", peakMebibytes: 0, milliseconds: 0 };
try {
  await using engine = EngineClient.open({ host });
  await unpackSavedImage(await engine.images.save(["a:1"]), dest, "");
} catch (error) {
  outcome.code = (error as { code?: string }).code ?? (error as Error).name;
  outcome.message = (error as Error).message.slice(0, 300);
}
const peak = /VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
outcome.peakMebibytes = Math.round(Number(peak) / 1024);
outcome.milliseconds = Math.round(process.cpuUsage().user / 1000);
process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
