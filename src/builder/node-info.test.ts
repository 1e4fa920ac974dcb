import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { Builder } from "./builder.js";
import { openBuilderContext } from "./builder-context.js";
import { createBuilder } from "./create-builder.js";
import { loadNodeInfo } from "./node-info.js";

afterEach(() => void vi.useRealTimers());

test("an engine that does not answer is named after some seconds, and given up at the deadline", async () => {
  const dir = await mkdtemp(join(tmpdir(), "slipway-node-info-"));
  const server = createServer(() => {});
  try {
    server.listen(join(dir, "engine.sock"));
    await once(server, "listening");
    const endpoint = `unix://${join(dir, "engine.sock")}`;
    const env = { BUILDX_CONFIG: join(dir, "buildx"), DOCKER_CONFIG: join(dir, "docker") };
    const context = await openBuilderContext({ env });
    await createBuilder(context, { name: "silent", endpoint, driver: "docker-container" });
    const { nodes } = await Builder.open({ name: "silent", env });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const onWait = vi.fn();
    const connected = once(server, "connection");
    const loading = loadNodeInfo(nodes[0] as (typeof nodes)[0], { milliseconds: 20_000, onWait });
    await connected;
    vi.advanceTimersByTime(4_900);
    expect(onWait).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(onWait.mock.calls).toEqual([[`waiting for node silent0 at ${endpoint} to answer`]]);
    vi.advanceTimersByTime(15_000);
    expect((await loading).error).toMatch(/asking node silent0 .* did not finish within 20 s/);
  } finally {
    server.close();
    await rm(dir, { recursive: true, force: true });
  }
});
