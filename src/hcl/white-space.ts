/** The text without white space at its end, as Unicode has it. In linear time, which an expression that ends in `+$` is not. */
export function withoutTrailingSpace(text: string): string {
  let end = text.length;
  // No white space lies outside of the basic plane.
  while (end > 0 && /\p{White_Space}/u.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
