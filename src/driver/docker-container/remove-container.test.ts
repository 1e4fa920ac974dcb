import { expect, test } from "vitest";
import { EngineClient } from "../../engine-api/index.js";
import { FakeEngine } from "../../../test/support/fake-engine.js";
import { removeContainer, removeVolume } from "./remove-container.js";

const id = "c".repeat(64);

test("a container that another is removing is waited for", async () => {
  await using fake = await FakeEngine.start();
  fake.on("DELETE", `/containers/${id}`, (call) =>
    call.count <= 2
      ? call.refuse(409, "la suppression est en cours")
      : call.refuse(404, `No such container: ${id}`),
  );
  fake.on("GET", `/containers/${id}/json`, (call) => call.json({ Id: id, State: { Status: "removing" } }));
  await using engine = EngineClient.open({ host: fake.host });
  await removeContainer(engine, id, { volumes: true });
  expect(fake.callsOf("DELETE", `/containers/${id}`)).toHaveLength(3);
});

test("a container that the engine does not let go is an error", async () => {
  await using fake = await FakeEngine.start();
  fake.on("DELETE", `/containers/${id}`, (call) => call.refuse(409, "it is protected"));
  fake.on("GET", `/containers/${id}/json`, (call) => call.json({ Id: id, State: { Status: "running" } }));
  await using engine = EngineClient.open({ host: fake.host });
  await expect(removeContainer(engine, id, { volumes: true })).rejects.toThrow("it is protected");
});

test("a container that is gone when its state is asked for was removed", async () => {
  await using fake = await FakeEngine.start();
  fake.on("DELETE", `/containers/${id}`, (call) => call.refuse(409, "busy"));
  fake.on("GET", `/containers/${id}/json`, (call) => {
    fake.on("DELETE", `/containers/${id}`, (again) => again.refuse(404, "none"));
    call.refuse(404, "none");
  });
  await using engine = EngineClient.open({ host: fake.host });
  await removeContainer(engine, id, { volumes: true });
});

test("a volume is in use for as long as a container is there that has it and stays", async () => {
  await using fake = await FakeEngine.start();
  fake.on("DELETE", "/volumes/state", (call) =>
    call.count <= 3 ? call.refuse(409, "le volume est utilisé") : call.empty(),
  );
  let users: object[] = [];
  fake.on("GET", "/containers/json", (call) => {
    call.json(call.count === 1 ? [{ Id: id, State: "removing" }] : users);
  });
  await using engine = EngineClient.open({ host: fake.host });
  await removeVolume(engine, "state", undefined);
  expect(fake.callsOf("GET", "/containers/json")[0]?.query).toMatchObject({ all: "1" });
  expect(fake.callsOf("GET", "/containers/json")[0]?.query["filters"]).toContain("state");
  users = [{ Id: id, State: "exited" }];
  fake.on("DELETE", "/volumes/state", (call) => call.refuse(409, "le volume est utilisé"));
  await expect(removeVolume(engine, "state", undefined)).rejects.toThrow("le volume est utilisé");
});
