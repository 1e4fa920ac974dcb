let segmenter: Intl.Segmenter | undefined;

const plain = /^[\x20-\x7e]*$/;

/** So many code units are looked at at once: each step of the segmenter takes longer in a longer text. */
const window = 256;

/** A text's characters as readers count them: letters with their accents, families of emoji, a line's `\r\n`. */
export function graphemes(text: string): string[] {
  if (plain.test(text)) return text.split("");
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const found: string[] = [];
  for (let at = 0, length = window; at < text.length;) {
    // Not between the two halves of a character.
    const end = /[\ud800-\udbff]/.test(text[at + length - 1] ?? "") ? at + length + 1 : at + length;
    const part = text.slice(at, end);
    const segments = Array.from(segmenter.segment(part), ({ segment }) => segment);
    const isLast = at + part.length === text.length;
    // What stands at the end of a part may go on in the next one.
    if (!isLast) segments.pop();
    if (segments.length === 0) {
      length *= 2;
      continue;
    }
    length = window;
    for (const segment of segments) {
      found.push(segment);
      at += segment.length;
    }
  }
  return found;
}

/** How many characters readers count in a text. */
export function graphemeCount(text: string): number {
  return plain.test(text) ? text.length : graphemes(text).length;
}
