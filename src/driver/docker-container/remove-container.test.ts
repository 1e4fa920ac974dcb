import { expect, test } from "vitest";
import { EngineClient } from "../../engine-api/index.js";
import { FakeEngine } from "../../../test/support/fake-engine.js";
import { removeContainer, removeVolume } from "./remove-container.js";

const id = "c".repeat(64);

test("a container that another is removing is waited for", async () => {
  await using fake = await FakeEngine.start();
  fake.on("DELETE", `/containers/${id}`, (call) =>
    call.count <= 2
      ? call.refuse(409, `removal of container ${id} is already in progress`)
      : call.refuse(404, `No such container: ${id}`),
  );
  await using engine = EngineClient.open({ host: fake.host });
  await removeContainer(engine, id, { volumes: true });
  expect(fake.callsOf("DELETE", `/containers/${id}`)).toHaveLength(3);
});

test("a container that the engine does not let go is an error", async () => {
  await using fake = await FakeEngine.start();
  fake.on("DELETE", `/containers/${id}`, (call) => call.refuse(409, "it is protected"));
  await using engine = EngineClient.open({ host: fake.host });
  await expect(removeContainer(engine, id, { volumes: true })).rejects.toThrow("it is protected");
});

test("a volume is in use for as long as a container is there that has it", async () => {
  await using fake = await FakeEngine.start();
  fake.on("DELETE", "/volumes/state", (call) =>
    call.count <= 2 ? call.refuse(409, `remove state: volume is in use - [${id}]`) : call.empty(),
  );
  let isThere = false;
  fake.on("GET", `/containers/${id}/json`, (call) =>
    isThere ? call.json({ Id: id }) : call.refuse(404, "No such container"),
  );
  await using engine = EngineClient.open({ host: fake.host });
  await removeVolume(engine, "state", undefined);
  isThere = true;
  fake.on("DELETE", "/volumes/state", (call) => call.refuse(409, `remove state: volume is in use - [${id}]`));
  await expect(removeVolume(engine, "state", undefined)).rejects.toThrow("volume is in use");
});
