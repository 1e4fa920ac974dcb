import type { Range } from "./range.js";

/** Kinds of tokens that are more than the characters they consist of; all other kinds are those characters. */
export type TokenKind =
  | "ident"
  | "number"
  | "comment"
  | "newline"
  | "oquote"
  | "cquote"
  | "quotedLit"
  | "quotedNewline"
  | "stringLit"
  | "oheredoc"
  | "cheredoc"
  | "interp"
  | "control"
  | "seqEnd"
  | "invalid"
  | "badUtf8"
  | "eof"
  | (string & {});

/** A piece of native syntax, with its text as it stands in the file. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly range: Range;
}
