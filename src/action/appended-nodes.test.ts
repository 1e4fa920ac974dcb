import { expect, test } from "vitest";
import { appendedNodes } from "./appended-nodes.js";

test("nodes are read as docker/setup-buildx-action reads them", async () => {
  const text = `
- endpoint: tcp://a.example:1234
  platforms: linux/amd64,linux/arm64
  driver: remote
  driver-opts: |
    cacert=/ca.pem
    "env.no_proxy=localhost,127.0.0.1"
- name: second
  driver-opts: [memory=1g]
  buildkitd-flags: --debug
`;
  const nothing = { node: undefined, endpoint: undefined, driver: undefined, buildkitdFlags: undefined };
  expect(await appendedNodes(text)).toEqual([
    {
      ...nothing,
      endpoint: "tcp://a.example:1234",
      driver: "remote",
      driverOpts: { cacert: "/ca.pem", "env.no_proxy": "localhost,127.0.0.1" },
      platforms: ["linux/amd64", "linux/arm64"],
    },
    { ...nothing, node: "second", driverOpts: { memory: "1g" }, buildkitdFlags: "--debug", platforms: [] },
  ]);
  expect(await appendedNodes(" \n")).toEqual([]);
});

test.each([
  ["{", /^the input append is no YAML: /],
  ["endpoint: a", /^the input append has to be a YAML sequence of nodes/],
  ["- a", /^node 1 of the input append has to be a mapping of name, endpoint/],
  ["- name: a\n-", /^node 2 of the input append has to be a mapping/],
  ["- nmae: a", /^node 1 of the input append has no nmae: there are name, endpoint/],
  ["- __proto__: a", /^node 1 of the input append has no __proto__/],
  ["- endpoint: [a]", /^endpoint of node 1 of the input append has to be a text$/],
  ["- platforms: [1]", /^platforms of node 1 of the input append has to be a list of texts$/],
  ["- driver-opts: memory", /^invalid value "memory", expecting k=v$/],
])("%j is refused", async (text, message) => {
  await expect(appendedNodes(text)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringMatching(message) as string,
  });
});
