const values = new Map<string, boolean>([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

/** Go's `strconv.ParseBool`; undefined when the text is not a boolean (also when it is empty). */
export function parseGoBool(text: string): boolean | undefined {
  return values.get(text);
}
