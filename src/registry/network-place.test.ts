import { expect, test } from "vitest";
import { mayServe, placeOf } from "./network-place.js";

test.each([
  ["8.8.8.8", "public"],
  ["2001:4860:4860::8888", "public"],
  ["172.32.0.1", "public"],
  ["10.1.2.3", "private"],
  ["172.31.255.255", "private"],
  ["192.168.0.1", "private"],
  ["100.64.0.1", "private"],
  ["fd00::1", "private"],
  ["[fd00::1]", "private"],
  ["0.0.0.0", "this machine"],
  ["127.9.9.9", "this machine"],
  ["::1", "this machine"],
  ["::", "this machine"],
  ["169.254.169.254", "special"],
  ["fe80::1%eth0", "special"],
  ["239.0.0.1", "special"],
  ["255.255.255.255", "special"],
  // The same places in other clothes.
  ["::ffff:10.0.0.1", "private"],
  ["::ffff:7f00:1", "this machine"],
  ["::127.0.0.1", "this machine"],
  ["64:ff9b::a9fe:a9fe", "special"],
  ["2002:a00:1::", "private"],
  ["2002:808:808::", "public"],
])("SEC-69 %s is %s", (address, place) => {
  expect(placeOf(address)).toBe(place);
});

test("SEC-69 a registry's servers are where it is itself, or where everybody is", () => {
  const outside = ["8.8.8.8"];
  expect(mayServe(outside, "9.9.9.9")).toBe(true);
  for (const address of ["10.0.0.1", "127.0.0.1", "169.254.169.254"])
    expect(mayServe(outside, address)).toBe(false);
  expect(mayServe(["10.0.0.2"], "192.168.1.1")).toBe(true);
  expect(mayServe(["10.0.0.2"], "127.0.0.1")).toBe(false);
  expect(mayServe(["127.0.0.1"], "10.0.0.1")).toBe(true);
  expect(mayServe(["127.0.0.1"], "::1")).toBe(true);
  expect(mayServe(["127.0.0.1"], "169.254.169.254")).toBe(false);
  // Nobody knows where it is: it gets what everybody gets.
  expect(mayServe([], "10.0.0.1")).toBe(false);
});
