import { describe, expect, test } from "vitest";
import { type ContainerPlan, configDigest, containerSpec } from "./container-spec.js";
import { parseDriverOptions } from "./options.js";

const info: ContainerPlan["info"] = { CgroupDriver: "cgroupfs", SecurityOptions: [], Runtimes: {} };

function plan(part: Partial<ContainerPlan> = {}): ContainerPlan {
  return { nodeName: "foo0", options: parseDriverOptions({}), flags: [], files: new Map(), info, ...part };
}

describe("containerSpec", () => {
  test("is privileged with an init and the state volume", () => {
    expect(containerSpec(plan()).HostConfig).toEqual({
      Privileged: true,
      Init: true,
      RestartPolicy: { Name: "unless-stopped", MaximumRetryCount: 0 },
      Mounts: [{ Type: "volume", Source: "buildx_buildkit_foo0_state", Target: "/var/lib/buildkit" }],
      CgroupParent: "/docker/buildx",
    });
  });

  test("sets a control group parent on cgroupfs engines only", () => {
    const options = parseDriverOptions({ "cgroup-parent": "/mine" });
    expect(containerSpec(plan({ options })).HostConfig?.CgroupParent).toBe("/mine");
    const systemd = { ...info, CgroupDriver: "systemd" } as const;
    expect(containerSpec(plan({ options, info: systemd })).HostConfig?.CgroupParent).toBeUndefined();
    const rootless = { ...info, SecurityOptions: ["name=seccomp,profile=default", "name=rootless"] };
    expect(containerSpec(plan({ info: rootless })).HostConfig?.CgroupParent).toBeUndefined();
    expect(
      containerSpec(plan({ info: { ...info, Rootless: true } })).HostConfig?.CgroupParent,
    ).toBeUndefined();
    expect(containerSpec(plan({ options, info: rootless })).HostConfig?.CgroupParent).toBe("/mine");
  });

  test("leaves the user name space when the engine remaps users", () => {
    const remapped = { ...info, SecurityOptions: ["name=seccomp,profile=default", "name=userns"] };
    expect(containerSpec(plan({ info: remapped })).HostConfig?.UsernsMode).toBe("host");
  });

  test("asks for GPUs when there is an nvidia runtime", () => {
    const nvidia = { ...info, Runtimes: { nvidia: {} } };
    expect(containerSpec(plan({ info: nvidia })).HostConfig?.DeviceRequests).toHaveLength(1);
    expect(containerSpec(plan({ info: nvidia, gpus: false })).HostConfig?.DeviceRequests).toBeUndefined();
  });

  test("puts the config before and the socket's group behind it, the user's flags last", () => {
    const spec = containerSpec(
      plan({
        files: new Map([["buildkitd.toml", Buffer.from("debug = true")]]),
        socket: { directory: "/x/run", gid: 1000 },
        flags: ["--debug"],
      }),
    );
    expect(spec.Cmd).toEqual(["--config", "/etc/buildkit/buildkitd.toml", "--group", "1000", "--debug"]);
    expect(spec.HostConfig?.Mounts).toContainEqual({
      Type: "bind",
      Source: "/x/run",
      Target: "/run/buildkit",
    });
  });
});

test("configDigest does not depend on the order of files, but on names and contents", () => {
  const a: [string, Buffer] = ["a", Buffer.from("1")];
  const b: [string, Buffer] = ["b", Buffer.from("2")];
  expect(configDigest(new Map([a, b]))).toBe(configDigest(new Map([b, a])));
  expect(configDigest(new Map([a]))).not.toBe(configDigest(new Map([["a", Buffer.from("2")]])));
});
