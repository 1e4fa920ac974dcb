import { describe, expect, it } from "vitest";
import { graphemeCount, graphemes } from "./graphemes.js";

const whole = (text: string) =>
  Array.from(
    new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text),
    ({ segment }) => segment,
  );

describe("characters as readers count them", () => {
  it("are the same however long the text is", () => {
    const family = "\u{1f468}‍\u{1f469}‍\u{1f467}";
    const flags = "\u{1f1e9}\u{1f1ea}\u{1f1eb}\u{1f1f7}";
    for (const unit of ["é", "e\u0301", family, flags, "\r\n", "a\r\n", "\u0600a", "한", "क्षि"])
      for (const ahead of ["", "x", "xy"]) {
        const text = `${ahead}${unit.repeat(300)}`;
        expect(graphemes(text)).toEqual(whole(text));
      }
  });

  it("are one, however many marks it has", () => {
    expect(graphemeCount(`e${"\u0301".repeat(5000)}`)).toBe(1);
    expect(graphemeCount(`e${"\u0301".repeat(5000)}x`)).toBe(2);
  });

  it("are counted in a long text in a moment", () => {
    // In one go it took a minute.
    expect(graphemeCount(`${"é".repeat(400_000)}\n`)).toBe(400_001);
  });
});
