import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeBuilder } from "../../../test/support/fake-builder.js";
import { stdcopyFrame } from "../../../test/support/fake-engine.js";
import type { BuildEvent } from "../../core/index.js";

let fake: FakeBuilder;
beforeEach(async () => void (fake = await FakeBuilder.open()));
afterEach(() => fake[Symbol.asyncDispose]());

const logs = "/containers/buildx_buildkit_b0/logs";
const stack = [
  "toml: cannot decode TOML integer into struct field config.Config.Root of type string",
  "failed to parse config",
  "github.com/moby/buildkit/cmd/buildkitd/config.Load",
  "\t/go/src/github.com/moby/buildkit/cmd/buildkitd/config/load.go:15",
  "main.main",
  "\t/go/src/main.go:140",
  "runtime.goexit",
  "\t/usr/local/go/src/runtime/asm_amd64.s:1771",
];

test("a daemon that does not start is told once, by what it said of this start, without a stack", async () => {
  fake.engine.on("POST", "/containers/buildx_buildkit_b0/start", (call) => {
    // The times are those of the start that failed.
    Object.assign(fake.state, { ExitCode: 1, StartedAt: "2026-01-02T03:04:05.678901234Z" });
    call.empty();
  });
  fake.engine.on("GET", logs, ({ response }) => void response.end(stdcopyFrame(2, `${stack.join("\n")}\n`)));
  const shown: string[] = [];
  const onEvent = (event: BuildEvent) => {
    if (event.type === "status") shown.push(...event.vertexes.flatMap(({ error }) => error ?? []));
  };
  const builder = await fake.builder();
  await expect(builder.boot({ onEvent })).rejects.toMatchObject({
    code: "DRIVER_BOOT",
    message: `builder container buildx_buildkit_b0 exited with code 1; the daemon's last log lines:\n  ${stack[0]}\n  ${stack[1]}`,
  });
  expect(shown).toEqual(["builder container buildx_buildkit_b0 exited with code 1"]);
  expect(fake.engine.callsOf("GET", logs).map(({ query }) => query["since"])).toEqual(["1767323045.678"]);
});

test("what became of a builder is told with what it logged since then, by the engine's clock", async () => {
  const ahead = 3_600_000;
  fake.engine.on("GET", "/info", (call) =>
    call.json({ SystemTime: new Date(Date.now() + ahead).toISOString() }),
  );
  fake.engine.on("GET", logs, ({ response }) => void response.end(stdcopyFrame(2, "killed\n")));
  Object.assign(fake.state, { OOMKilled: true });
  const driver = await (await fake.builder()).nodes[0]!.openDriver();
  const since = Date.now() - 5_000;
  expect(await driver.diagnose({ since })).toBe(
    "builder container buildx_buildkit_b0 was killed (out of memory); the daemon's last log lines:\n  killed",
  );
  const asked = Number(fake.engine.callsOf("GET", logs)[0]?.query["since"]) * 1000;
  expect(Math.abs(asked - since - ahead)).toBeLessThan(1_000);
  await driver.close();
});

test("a program that cannot be run once, in a container that ends, is no missing program", async () => {
  Object.assign(fake.state, { Status: "running", Running: true });
  fake.engine.on("POST", "/containers/:id/exec", (call) => call.json({ Id: "e1" }, 201));
  fake.engine.on("POST", "/exec/e1/start", async (call) => {
    Object.assign(fake.state, { Status: "exited", Running: false, ExitCode: 3 });
    (await call.hijack(stdcopyFrame(1, "OCI runtime exec failed\n"))).end();
  });
  fake.engine.on("GET", "/exec/e1/json", (call) => call.json({ Running: false, ExitCode: 126 }));
  const { store } = await fake.builder();
  await store.transaction((transaction) => transaction.saveSlipwayOptions("b", { connect: "exec" }));
  const driver = await (await fake.builder()).nodes[0]!.openDriver();
  await expect(driver.connect()).rejects.toThrow("builder container buildx_buildkit_b0 exited with code 3");
  await driver.close();
});
