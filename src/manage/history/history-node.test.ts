import { afterEach, beforeEach, expect, it } from "vitest";
import { FakeHistory, endedBuild } from "../../../test/support/fake-history.js";
import type { Builder } from "../../builder/index.js";
import { BuildkitClient } from "../../buildkit/index.js";
import type { ConnectOptions, Driver } from "../../driver/index.js";
import { BuildHistory } from "./build-history.js";
import { openHistoryNodes } from "./history-node.js";

/** Two pods of one node, each with builds of its own. */
let pods: Map<string, FakeHistory>;
let isBooted: boolean;
let closed: number;
/** Pods that are listed and yet cannot be connected to. */
let broken: Set<string>;

beforeEach(async () => {
  pods = new Map([
    ["k0-a", await FakeHistory.open()],
    ["k0-b", await FakeHistory.open()],
  ]);
  isBooted = true;
  closed = 0;
  broken = new Set();
});
afterEach(async () => {
  for (const pod of pods.values()) await pod[Symbol.asyncDispose]();
});

const node = {
  name: "k0",
  openDriver: () => {
    const driver = {
      instances: () =>
        Promise.resolve(
          isBooted ? [...pods.keys(), "k0-c"].map((name) => ({ name, status: statusOf(name) })) : [],
        ),
      connect({ instance = "k0-a", boot = true }: ConnectOptions) {
        if (broken.has(instance)) return Promise.reject(new Error(`${instance} is gone`));
        if (boot) isBooted = true;
        return BuildkitClient.connect(
          pods.get(instance)?.builder.daemon.dial ?? (() => expect.fail("not running")),
        );
      },
      close: () => Promise.resolve(void closed++),
    };
    return Promise.resolve(driver as unknown as Driver);
  },
};
const statusOf = (name: string) => (name === "k0-c" ? "starting" : "running");
const options = { sink: undefined, signal: undefined };

async function history(): Promise<BuildHistory> {
  const store = { localState: { readRef: () => Promise.resolve(undefined) } };
  return new BuildHistory({ name: "k", store } as unknown as Builder, await openHistoryNodes(node, options));
}

it("the builds of all pods are found, and asked for where they ran", async () => {
  const [first, second] = [...pods.values()] as [FakeHistory, FakeHistory];
  first.records.push(endedBuild("one"));
  second.records.push(endedBuild("two"));
  const builds = await history();
  const records = await builds.records();
  const found = records.map(({ id, ref, instance }) => [id, ref, instance]);
  expect(found).toHaveLength(2);
  expect(found).toContainEqual(["one", "k/k0/one", "k0-a"]);
  expect(found).toContainEqual(["two", "k/k0/two", "k0-b"]);
  const { digest } = second.store("kept by the second");
  const record = await builds.record("k/k0/two");
  expect((await builds.readBlob({ ...record }, digest)).toString()).toBe("kept by the second");
  await builds.finalize(record);
  expect([first.updates.length, second.updates.length]).toEqual([0, 1]);
  await builds.remove(["two"]);
  expect([first.updates.length, second.updates.length]).toEqual([1, 2]);
  await builds.close();
  expect(closed).toBe(1);
});

it("a node of which no pod runs is booted, and all that then run are asked", async () => {
  isBooted = false;
  const builds = await history();
  expect(await builds.records()).toEqual([]);
  await builds.close();
});

it("a pod that goes in between is told, and the others are let go of", async () => {
  broken.add("k0-b");
  await expect(openHistoryNodes(node, options)).rejects.toThrow("k0-b is gone");
  expect(closed).toBe(1);
});
