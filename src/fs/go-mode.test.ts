import { expect, test } from "vitest";
import { deviceNumbers, goMode, goModeOf, isRegular, posixPermissions } from "./go-mode.js";

test.each([
  ["file", 0o100644, 0o644],
  ["directory", 0o040755, 0x8000_01ed],
  ["symlink", 0o120777, 0x0800_01ff],
  ["fifo", 0o010600, 0x0200_0180],
  ["socket", 0o140755, 0x0100_01ed],
  ["char device", 0o020666, 0x0420_01b6],
  ["FLT-61 block device", 0o060660, 0x0400_01b0],
  ["FLT-70 setuid and setgid", 0o106755, 0x00c0_01ed],
  ["FLT-70 sticky directory", 0o041777, 0x8010_01ff],
])("%s", (_, stMode, mode) => {
  expect(goModeOf(stMode)).toBe(mode);
  expect(posixPermissions(mode)).toBe(stMode & 0o7777);
});

test("set-id and sticky bits do not make a file irregular, a type does", () => {
  expect(isRegular(goModeOf(0o107777))).toBe(true);
  expect(isRegular(goMode.irregular)).toBe(false);
  expect(isRegular(goModeOf(0o010644))).toBe(false);
});

test("FLT-60 device numbers are cut as fsutil cuts them", () => {
  // Linux packs major 259, minor 300 as 12 low bits of the major above 8 bits of the minor, and the rest above.
  const rdev = (300n & 0xffn) | (259n << 8n) | ((300n & 0xfff00n) << 12n);
  expect(deviceNumbers(rdev)).toEqual({ major: 259n, minor: 300n });
});
