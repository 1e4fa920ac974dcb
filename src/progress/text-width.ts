// In functions, since V8 takes 3 ms to read these classes of characters: that is only for those who print one of them.
const isZeroWidth = (character: string) => /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u.test(character);
const isDoubleWidth = (character: string) =>
  /^(?:[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{1B000}-\u{1B2FF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation})$/u.test(
    character,
  );
/** Asks for the picture of the character before it, which takes two columns. */
const wideSelector = "\ufe0f";
/** Makes one emoji of those around it. */
const joiner = "\u200d";
const plainAscii = /^[\x20-\x7e]*$/;

/** Columns that one character (one code point) takes on a terminal: 0, 1 or 2. */
export function charWidth(character: string): number {
  if (plainAscii.test(character)) return 1;
  if (isZeroWidth(character)) return 0;
  return isDoubleWidth(character) ? 2 : 1;
}

/** Whether all terminals agree on the width of a text. */
export function isPlainAscii(text: string): boolean {
  return plainAscii.test(text);
}

/**
 * Columns that a text without control sequences takes on a terminal, at most: terminals that draw a sequence of emoji as
 * one, or do not widen a character by its variation selector, take fewer.
 */
export function textWidth(text: string): number {
  if (plainAscii.test(text)) return text.length;
  let width = 0;
  for (const { columns } of charactersOf(text)) width += columns;
  return width;
}

/** As much of the text as fits into `columns`. */
export function cutToWidth(text: string, columns: number): string {
  if (plainAscii.test(text)) return text.slice(0, Math.max(0, columns));
  let width = 0;
  let result = "";
  for (const { character, columns: more } of charactersOf(text)) {
    width += more;
    if (width > columns) break;
    result += character;
  }
  return result.endsWith(joiner) ? result.slice(0, -1) : result;
}

/** Each character with the columns that it adds. */
function* charactersOf(text: string) {
  let before = 0;
  for (const character of text) {
    const columns = character === wideSelector && before === 1 ? 1 : charWidth(character);
    if (columns > 0) before = columns;
    yield { character, columns };
  }
}

/** The text, filled up with spaces to `columns`. */
export function padToWidth(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - textWidth(text)));
}
