/**
 * The text without the given characters at its end. In linear time, which `/[…]+$/` is not: that tries again from each of a
 * long run of them.
 */
export function trimTrailing(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** The text without the given characters at either end. */
export function trimBoth(text: string, characters: string): string {
  const rest = trimTrailing(text, characters);
  let start = 0;
  while (start < rest.length && characters.includes(rest.charAt(start))) start++;
  return rest.slice(start);
}
