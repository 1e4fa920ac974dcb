import { expect, test } from "vitest";
import { SortedNames } from "./sorted-names.js";

test.each([0, 1, 2, 3, 7, 50])("%d batches come out as one sorted list", (batches) => {
  const names = new SortedNames();
  const all: string[] = [];
  for (let i = 0; i < batches; i++) {
    const batch = Array.from({ length: i % 4 }, (_, k) => `n${(i * 7919 + k * 104_729) % 1009}-${i}-${k}`);
    all.push(...batch);
    names.add(batch);
  }
  const out: string[] = [];
  for (let name = names.next(); name !== undefined; name = names.next()) out.push(name);
  expect(out).toEqual(all.sort());
});
