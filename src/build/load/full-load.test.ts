import { once } from "node:events";
import { expect, test } from "vitest";
import { EngineClient } from "../../engine-api/index.js";
import { AskedNames } from "../asked-names.js";
import { ArchiveGuard } from "./archive-guard.js";
import { loadImage } from "./full-load.js";

test("FLT-23 a load that is given up fails with the reason, and with nothing unhandled", async () => {
  await using engine = EngineClient.open({ host: "unix:///nowhere/engine.sock" });
  const writer = loadImage(engine, { guard: new ArchiveGuard(new AskedNames("a")) });
  const failed = once(writer, "error");
  writer.destroy(new Error("the connection is lost"));
  expect(await failed).toMatchObject([{ message: "the connection is lost" }]);
  await new Promise(setImmediate);
});
