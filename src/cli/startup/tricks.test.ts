import { expect, test } from "vitest";
import { bundleProgram } from "../../../scripts/program.mjs";
import { startupOptions, tricks } from "./tricks.mjs";

const names = Object.keys(tricks);

test("every start-up trick changes something in today's program", { timeout: 60_000 }, async () => {
  await expect(bundleProgram()).resolves.toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{32}$/) });
});

test("a program can be made without them", { timeout: 60_000 }, async () => {
  const { text } = await bundleProgram({ without: names });
  expect(text).toContain("performance.now()");
});

test.each(names)("when an update leaves %s nothing to change, it is named", (name) => {
  const { checkUse } = startupOptions(names.filter((each) => each !== name));
  expect(() => checkUse([])).toThrow(`start-up tricks that changed nothing: ${name}.`);
});

test("a name that is none is refused", () => {
  expect(() => startupOptions(["heavy-headers"])).toThrow("there is no start-up trick heavy-headers");
});
