import { describe, expect, test } from "vitest";
import { parseDriverOptions } from "./options.js";

describe("parseDriverOptions", () => {
  test("defaults are buildx's", () => {
    expect(parseDriverOptions({})).toEqual({
      image: "moby/buildkit:buildx-stable-1",
      restartPolicy: { name: "unless-stopped", maximumRetryCount: 0 },
      env: [],
      defaultLoad: false,
      provenanceAddGha: true,
      allowUntrustedImage: false,
    });
  });

  test("reads every option of the driver's page", () => {
    const options = parseDriverOptions({
      image: "example/buildkit",
      network: "host",
      memory: "1.5g",
      "memory-swap": "-1",
      "cpu-quota": "50000",
      "cpu-period": "100000",
      "cpu-shares": "512",
      "cpuset-cpus": "0-1",
      "cpuset-mems": "0",
      "cgroup-parent": "/x",
      "restart-policy": "on-failure:3",
      "env.B": "2",
      "env.A": "1=1",
      "default-load": "t",
      "provenance-add-gha": "0",
      "allow-untrusted-image": "true",
    });
    expect(options).toMatchObject({
      memory: 1.5 * 2 ** 30,
      memorySwap: -1,
      cpuQuota: 50_000,
      cpuPeriod: 100_000,
      cpuShares: 512,
      restartPolicy: { name: "on-failure", maximumRetryCount: 3 },
      env: ["A=1=1", "B=2"],
      defaultLoad: true,
      provenanceAddGha: false,
      allowUntrustedImage: true,
    });
  });

  test.each([
    [{ memroy: "1g" }, "invalid driver option memroy for docker-container driver, did you mean memory?; its"],
    [{ bogus: "1" }, "for docker-container driver: its options are image, network, memory, memory-swap, "],
    [{ bogus: "1" }, "invalid driver option bogus for docker-container driver"],
    [{ toString: "1" }, "invalid driver option toString for docker-container driver"],
    [{ "env.": "1" }, 'invalid env option "env.", expecting env.FOO=bar'],
    [{ "cpu-quota": "1x" }, 'invalid value "1x" of driver option cpu-quota'],
    [{ memory: "lots" }, 'invalid value "lots" of driver option memory'],
    [{ "restart-policy": ":3" }, "no policy provided before colon"],
    [{ "restart-policy": "always:x" }, 'invalid value "x" of driver option restart-policy'],
    [{ "default-load": "maybe" }, "not a boolean"],
  ])("names what is wrong: %j", (options, message) => {
    expect(() => parseDriverOptions(options as Record<string, string>)).toThrow(message);
  });
});
