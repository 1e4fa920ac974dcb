import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asOtherUser } from "../../test/support/other-user.js";
import { emptyNodeGroup } from "./node-group.js";
import { BuilderStore } from "./store.js";
import { StoreError } from "./store-error.js";
import { storeOwner } from "./store-owner.js";
import { updateNode } from "./update-node.js";

let dir: string;
let warnings: string[];
let store: BuilderStore;
const now = Date.UTC(2024, 0, 2, 3, 4, 5, 678);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-store-"));
  warnings = [];
  store = BuilderStore.open({}, { dir, now: () => now, onWarning: (text) => warnings.push(text) });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function group(name: string) {
  return updateNode(emptyNodeGroup(name, "docker-container"), {
    endpoint: "unix:///var/run/docker.sock",
    endpointGiven: true,
    driverOpts: { "env.A": "<b>&" },
    flags: ["--allow-insecure-entitlement=network.host"],
    files: new Map([["buildkitd.toml", Buffer.from("debug = true\n")]]),
  }).group;
}

const save = (name: string) => store.transaction((transaction) => transaction.save(group(name)));
const instance = (name: string) => join(dir, "instances", name);

describe("BuilderStore", () => {
  it("writes what buildx reads", async () => {
    await save("Foo");
    expect(JSON.parse(await readFile(instance("foo"), "utf8"))).toEqual({
      Name: "Foo",
      Driver: "docker-container",
      Nodes: [
        {
          Name: "foo0",
          Endpoint: "unix:///var/run/docker.sock",
          Platforms: null,
          DriverOpts: { "env.A": "<b>&" },
          Flags: ["--allow-insecure-entitlement=network.host"],
          Files: { "buildkitd.toml": "ZGVidWcgPSB0cnVlCg==" },
        },
      ],
      Dynamic: false,
    });
    expect(await readFile(join(dir, "activity", "Foo"), "utf8")).toBe("2024-01-02T03:04:05Z");
    const read = await store.get("FOO");
    expect(read).toMatchObject({ name: "Foo", lastActivity: new Date("2024-01-02T03:04:05Z") });
    expect(read?.nodes[0]?.files.get("buildkitd.toml")?.toString()).toBe("debug = true\n");
  });

  it("removes a builder with all that belongs to it", async () => {
    await save("foo");
    await store.localState.saveRef("foo", "foo0", "ref1", {
      target: "",
      localPath: "/src",
      dockerfilePath: "/src/Dockerfile",
      groupRef: "g",
    });
    await store.localState.saveGroup("g", { refs: ["foo/foo0/ref1"] });
    await store.transaction(async (transaction) => {
      await transaction.saveSlipwayOptions("foo", { connect: "exec" });
      await transaction.remove("foo");
    });
    expect(await readdir(join(dir, "refs"))).toEqual(["__group__", "version"]);
    for (const name of ["instances", "activity", "refs/__group__", "slipway/builders"])
      expect(await readdir(join(dir, name))).toEqual([]);
  });

  it("keeps slipway's own options out of the builder's file", async () => {
    await save("foo");
    await store.transaction((transaction) => transaction.saveSlipwayOptions("foo", { connect: "socket" }));
    expect(await store.slipwayOptions("foo")).toEqual({ connect: "socket" });
    expect(await store.slipwayOptions("bar")).toEqual({});
    expect(await readFile(instance("foo"), "utf8")).not.toContain("socket");
  });

  it("finds free names", async () => {
    const name = await store.transaction((transaction) => transaction.freeName());
    expect(name).toMatch(/^[a-z]+_[a-z]+$/);
  });

  it("STO-1 lists broken files with their error and the rest as they are; remove and save repair", async () => {
    await save("good");
    for (const [name, content] of [
      ["empty", ""],
      ["garbage", '{"Name":'],
      ["odd", '{"Name":"odd","Nodes":{}}'],
    ] as const)
      await writeFile(instance(name), content);
    const list = await store.list();
    expect(list.map((item) => [item.name, "error" in item && item.error.code])).toEqual([
      ["empty", "STORE_CORRUPT"],
      ["garbage", "STORE_CORRUPT"],
      ["good", false],
      ["odd", "STORE_CORRUPT"],
    ]);
    await expect(store.get("garbage")).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      path: instance("garbage"),
    });
    await store.transaction(async (transaction) => {
      await transaction.remove("garbage");
      await transaction.save(group("odd"));
    });
    expect((await store.list()).map(({ name }) => name)).toEqual(["empty", "good", "odd"]);
    expect(await store.get("odd")).toMatchObject({ name: "odd", driver: "docker-container" });
    const kept = await readdir(join(dir, "slipway", "corrupt"));
    expect(kept).toEqual([`garbage.corrupt-${now}`, `odd.corrupt-${now}`]);
    expect(await readFile(join(dir, "slipway", "corrupt", kept[0] ?? ""), "utf8")).toBe('{"Name":');
  });

  it("STO-2 ignores a broken choice and a broken activity with a warning", async () => {
    await save("foo");
    await writeFile(join(dir, "current"), "{");
    await writeFile(join(dir, "activity", "foo"), "yesterday");
    expect(await store.currentChoice()).toBeUndefined();
    expect(await store.get("foo")).not.toHaveProperty("lastActivity");
    expect(warnings).toHaveLength(2);
    await save("foo");
    expect(await store.get("foo")).toHaveProperty("lastActivity");
  });

  it("STO-3 ignores foreign files among the builders and removes its own stale temporary ones", async () => {
    await save("foo");
    const stale = instance(".foo.tmp-0123456789ab");
    for (const name of [".foo.tmp-0123456789ab", ".foo.tmp-ba9876543210", ".tmp-foo123", "0bad", "UPPER"])
      await writeFile(instance(name), "{}");
    await mkdir(instance("directory"));
    await utimes(stale, new Date(now - 7_200_000), new Date(now - 7_200_000));
    await utimes(instance(".foo.tmp-ba9876543210"), new Date(now), new Date(now));
    expect((await store.list()).map(({ name }) => name)).toEqual(["foo"]);
    await store.transaction(async () => {});
    const left = await readdir(join(dir, "instances"));
    expect(left).not.toContain(".foo.tmp-0123456789ab");
    expect(left).toEqual(
      expect.arrayContaining([".foo.tmp-ba9876543210", ".tmp-foo123", "0bad", "directory"]),
    );
  });

  it("STO-4 a failed change leaves the file byte for byte", async () => {
    await save("foo");
    const before = await readFile(instance("foo"));
    await expect(
      store.transaction(async (transaction) => {
        const old = await store.get("foo");
        if (!old) throw new Error("gone");
        const update = { endpoint: "unix:///var/run/docker.sock", endpointGiven: true, append: true };
        await transaction.save(updateNode(old, update).group);
      }),
    ).rejects.toThrow("invalid duplicate endpoint");
    expect(await readFile(instance("foo"))).toEqual(before);
  });

  it("STO-12 keeps writers apart, in one process and between several", async () => {
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        store.transaction(async (transaction) => {
          most = Math.max(most, ++inside);
          await transaction.save(group(`b${index}`));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(await store.list()).toHaveLength(8);
  });

  it("STO-10 says whom it waits for, and gives up", async () => {
    await store.transaction(async () => {});
    const child = spawn("flock", ["-x", join(dir, ".lock"), "cat"], { stdio: ["pipe", "pipe", "ignore"] });
    child.stdin.write("locked\n");
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const waiting = BuilderStore.open(
      {},
      { dir, onWarning: (text) => warnings.push(text), lock: { patience: 1, timeout: 300 } },
    );
    await expect(waiting.transaction(async () => {})).rejects.toThrow(/still locked/);
    expect(warnings[0]).toMatch(/^waiting for lock .*\.lock held by /);
    const done = new Promise((resolve) => child.once("exit", resolve));
    child.stdin.end();
    await done;
    await store.transaction(async () => {});
  });

  it("STO-14 reads a directory that cannot be written", async () => {
    await asOtherUser([dir], async () => {
      await save("foo");
      await chmod(join(dir, "instances"), 0o500);
      expect(await store.list()).toHaveLength(1);
      await expect(save("bar")).rejects.toMatchObject({ code: "STORE_UNWRITABLE" });
      await chmod(join(dir, "instances"), 0o700);
    });
  });

  it("STO-14 names the path that cannot be written", async () => {
    await writeFile(join(dir, "instances"), "a file in the way");
    expect(await store.list()).toEqual([]);
    const error = await save("bar").catch((error: unknown) => error);
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).message).toContain(instance("").replace(/\/$/, ""));
  });

  it("STO-16 keeps fields it does not know, and refuses only a newer layout", async () => {
    await mkdir(join(dir, "instances"), { recursive: true });
    const stored =
      '{"Name":"foo","Future":{"a":[1]},"Nodes":[{"Name":"foo0","Endpoint":"x","Platforms":null,"DriverOpts":{},"Flags":[],"Files":null,"Shade":"blue"}],"Driver":"docker-container","Dynamic":false}';
    await writeFile(instance("foo"), stored);
    const read = await store.get("foo");
    if (!read) throw new Error("gone");
    await store.transaction((transaction) => transaction.save(read));
    expect(await readFile(instance("foo"), "utf8")).toBe(stored);
    const update = { node: "foo0", endpoint: "y", endpointGiven: true };
    await store.transaction((transaction) => transaction.save(updateNode(read, update).group));
    expect(await readFile(instance("foo"), "utf8")).toBe(stored.replace('"x"', '"y"'));

    await writeFile(instance("foo"), stored.replace("{", '{"Version":2,'));
    await expect(store.get("foo")).rejects.toMatchObject({ code: "STORE_NEWER" });
    await expect(save("foo")).rejects.toMatchObject({ code: "STORE_NEWER" });
  });

  it("STO-17 gives files to the user who called sudo, in that user's home only", () => {
    const passwd = () => "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
    const sudo = { SUDO_COMMAND: "x", SUDO_UID: "1000", SUDO_GID: "1001", HOME: "/home/ann" };
    expect(storeOwner(sudo, "/home/ann/.docker/buildx", passwd)).toEqual({ uid: 1000, gid: 1001 });
    expect(storeOwner({ ...sudo, HOME: "/root" }, "/root/.docker/buildx", passwd)).toBeUndefined();
    expect(storeOwner(sudo, "/srv/buildx", passwd)).toBeUndefined();
    expect(storeOwner({ ...sudo, SUDO_UID: "" }, "/home/ann/.docker", passwd)).toBeUndefined();
    expect(storeOwner({ HOME: "/home/ann" }, "/home/ann/.docker", passwd)).toBeUndefined();
  });

  it("STO-18 makes one id for this machine", async () => {
    const ids = await Promise.all([store.nodeIdentifier(), store.nodeIdentifier()]);
    expect(await store.nodeIdentifier()).toMatch(/^[0-9a-f]{16}$/);
    expect(ids).toContain(await store.nodeIdentifier());
  });

  it("STO-20 names follow buildx's rule", async () => {
    const bad = emptyNodeGroup("foo/bar", "docker-container");
    await expect(store.transaction((transaction) => transaction.save(bad))).rejects.toThrow(
      "invalid name foo/bar, name needs to start with a letter and may not contain symbols, except ._-",
    );
    await expect(store.get("1a")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("SEC-70 a store that others can write to", () => {
  it.each([".", "instances"])("is refused with the way out: %s", async (name) => {
    await save("mine");
    await chmod(join(dir, name), 0o777);
    const open = () => BuilderStore.open({}, { dir });
    const refused = {
      code: "STORE_SHARED",
      path: join(dir, name),
      message: expect.stringMatching(/every user of this machine can write to it.*chmod go-w.*BUILDX_CONFIG/),
    };
    await expect(open().get("mine")).rejects.toMatchObject(refused);
    await expect(open().list()).rejects.toMatchObject(refused);
    await expect(open().transaction((one) => one.save(group("other")))).rejects.toMatchObject(refused);
    expect(await readdir(join(dir, "instances"))).toEqual(["mine"]);
    await chmod(join(dir, name), 0o700);
    expect(await open().get("mine")).toBeDefined();
  });
});
