/** Escapes what Go's JSON encoder escapes unless told otherwise: `<`, `>`, `&` and two line separators. */
export function escapeGoJson(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** JSON as Go's MarshalIndent writes it, with two spaces. */
export function goJson(value: unknown): string {
  return escapeGoJson(JSON.stringify(value, undefined, 2));
}
