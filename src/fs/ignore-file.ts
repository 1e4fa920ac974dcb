import { InvalidArgumentError } from "../core/index.js";
import type { ByteString } from "./bytes.js";
import { cleanPath } from "./paths.js";
import { trimSpace } from "./pattern.js";

/** Longest line that Go's bufio.Scanner takes, in bytes. */
const maxLine = 65_535;

/**
 * Reads a .dockerignore into patterns for {@link PatternMatcher}, by the rules of moby/patternmatcher's ignorefile: a
 * byte order mark is dropped, `#` in the first column is a comment, lines are trimmed, cleaned, and made relative.
 *
 * @throws InvalidArgumentError for a line of 64 KiB or more, as Go does.
 */
export function parseIgnoreFile(content: Uint8Array): ByteString[] {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
  const patterns: ByteString[] = [];
  const lines = text.split("\n");
  lines.forEach((line, index) => {
    if (line.length > maxLine)
      throw new InvalidArgumentError(`line ${index + 1} of the ignore file is too long`);
    const bare = index === 0 && line.startsWith("\xef\xbb\xbf") ? line.slice(3) : line;
    if (bare.startsWith("#")) return;
    let pattern = trimSpace(bare);
    if (pattern === "") return;
    const inverted = pattern.startsWith("!");
    if (inverted) pattern = trimSpace(pattern.slice(1));
    if (pattern !== "") {
      pattern = cleanPath(pattern);
      if (pattern.length > 1 && pattern.startsWith("/")) pattern = pattern.slice(1);
    }
    patterns.push(inverted ? `!${pattern}` : pattern);
  });
  return patterns;
}
