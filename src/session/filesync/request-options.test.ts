import { expect, test } from "vitest";
import { FakeServerCall } from "../../../test/support/server-call.js";
import { queryUnescape, readSyncRequest } from "./request-options.js";

test("every repeated header is a pattern of its own, and absent ones are undefined", () => {
  const call = new FakeServerCall("/moby.filesync.v1.FileSync/diffcopy", [
    ["dir-name", "context"],
    ["exclude-patterns", "a, b"],
    ["exclude-patterns", "!c"],
  ]);
  expect(readSyncRequest(call)).toEqual({
    dirName: "context",
    include: undefined,
    exclude: ["a, b", "!c"],
    followPaths: undefined,
  });
});

test("FLT-77 encoded values are unescaped into bytes, and what cannot be becomes empty, as in Go", () => {
  const call = new FakeServerCall("", [
    ["followpaths", "caf%C3%A9+%2B"],
    ["followpaths", "100%"],
    ["followpaths-encoded", "1"],
    ["include-patterns", "a+b%20"],
    ["include-patterns-encoded", "no"],
  ]);
  expect(readSyncRequest(call)).toMatchObject({ followPaths: ["caf\xc3\xa9 +", ""], include: ["a+b%20"] });
  expect(queryUnescape("%zz")).toBeUndefined();
});
