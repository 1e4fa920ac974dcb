import { expect, test } from "vitest";
import { withNetworkHostEntitlement } from "./buildkitd-flags.js";

const added = "--allow-insecure-entitlement=network.host";
const insecure = "--allow-insecure-entitlement=security.insecure";

test("adds network.host when nobody names an entitlement", () => {
  expect(withNetworkHostEntitlement([], { configEntitlements: [] })).toEqual([added]);
  expect(withNetworkHostEntitlement(["--debug"], { configEntitlements: [] })).toEqual(["--debug", added]);
  expect(withNetworkHostEntitlement([], { configEntitlements: ["security.insecure"] })).toEqual([added]);
});

test("adds nothing when flags or configuration decided", () => {
  expect(withNetworkHostEntitlement([insecure], { configEntitlements: [] })).toEqual([insecure]);
  expect(withNetworkHostEntitlement([added], { configEntitlements: [], network: "host" })).toEqual([added]);
  expect(withNetworkHostEntitlement([], { configEntitlements: ["network.host"] })).toEqual([]);
});

test("adds it on the host's network also beside another entitlement", () => {
  expect(withNetworkHostEntitlement([insecure], { configEntitlements: [], network: "host" })).toEqual([
    insecure,
    added,
  ]);
  const split = ["--allow-insecure-entitlement", "network.host"];
  expect(withNetworkHostEntitlement(split, { configEntitlements: [], network: "host" })).toEqual(split);
});

test("sees no entitlement behind another flag, as buildx does not", () => {
  expect(withNetworkHostEntitlement(["--debug", insecure], { configEntitlements: [] })).toEqual([
    "--debug",
    insecure,
    added,
  ]);
});
