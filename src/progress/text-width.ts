// In functions, since V8 takes 3 ms to read these classes of characters: that is only for those who print one of them.
const isZeroWidth = (character: string) => /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u.test(character);
const isDoubleWidth = (character: string) =>
  /^(?:[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{1B000}-\u{1B2FF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation})$/u.test(
    character,
  );
const plainAscii = /^[\x20-\x7e]*$/;

/** Columns that one character (one code point) takes on a terminal: 0, 1 or 2. */
export function charWidth(character: string): number {
  if (plainAscii.test(character)) return 1;
  if (isZeroWidth(character)) return 0;
  return isDoubleWidth(character) ? 2 : 1;
}

/** Columns that a text without control sequences takes on a terminal. */
export function textWidth(text: string): number {
  if (plainAscii.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += charWidth(character);
  return width;
}

/** As much of the text as fits into `columns`. */
export function cutToWidth(text: string, columns: number): string {
  if (plainAscii.test(text)) return text.slice(0, Math.max(0, columns));
  let width = 0;
  let result = "";
  for (const character of text) {
    width += charWidth(character);
    if (width > columns) break;
    result += character;
  }
  return result;
}

/** The text, filled up with spaces to `columns`. */
export function padToWidth(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - textWidth(text)));
}
