let segmenter: Intl.Segmenter | undefined;

const plain = /^[\x20-\x7e]*$/;

/** A text's characters as readers count them: letters with their accents, families of emoji, a line's `\r\n`. */
export function graphemes(text: string): string[] {
  if (plain.test(text)) return text.split("");
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** How many characters readers count in a text. */
export function graphemeCount(text: string): number {
  return plain.test(text) ? text.length : graphemes(text).length;
}
