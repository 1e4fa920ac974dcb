import { expect, test } from "vitest";
import { parsePlatforms } from "./platform.js";
import { shareConfigured, shareOffered } from "./share-platforms.js";

const platforms = (...texts: string[]) => parsePlatforms(texts);
const share = (index: number, ...texts: string[]) => ({ index, platforms: platforms(...texts) });

test("each platform goes to the node that is configured for it", () => {
  const nodes = [platforms("linux/amd64"), platforms("linux/arm64", "linux/arm/v7")];
  expect(shareConfigured(platforms("linux/arm64", "linux/amd64", "linux/arm/v7"), nodes)).toEqual([
    share(1, "linux/arm64", "linux/arm/v7"),
    share(0, "linux/amd64"),
  ]);
  expect(shareConfigured(platforms("linux/amd64", "linux/riscv64"), nodes)).toBeUndefined();
  // Configured is taken at its word: 386 runs on amd64, but nobody said so.
  expect(shareConfigured(platforms("linux/386"), nodes)).toBeUndefined();
});

test("the first of two equal nodes is taken", () => {
  const nodes = [platforms("linux/amd64"), platforms("linux/amd64")];
  expect(shareConfigured(platforms("linux/amd64"), nodes)).toEqual([share(0, "linux/amd64")]);
});

test("what nobody is configured for goes to the node that can run it best, or to the first", () => {
  const nodes = [platforms("linux/amd64"), platforms("linux/arm64"), platforms("linux/amd64", "linux/386")];
  expect(shareOffered(platforms("linux/386", "linux/arm/v7", "linux/s390x"), nodes)).toEqual([
    share(2, "linux/386"),
    share(1, "linux/arm/v7"),
    share(0, "linux/s390x"),
  ]);
});
