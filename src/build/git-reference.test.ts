import { expect, test } from "vitest";
import { formatGitReference, parseGitReference } from "./git-reference.js";

const https = { remote: "https://h:1/o/a.git", place: "h:1/o/a.git", isSsh: false };
const scp = { remote: "git@h:o/a.git", place: "h/o/a.git", isSsh: true };

test.each([
  ["https://h:1/o/a.git", https],
  ["https://h:1/o/a.git#main", { ...https, ref: "main" }],
  ["https://h:1/o/a.git#:sub/../dir/", { ...https, subdir: "dir/" }],
  ["https://h:1/o/a.git#v%231:/a%20b", { ...https, ref: "v#1", subdir: "a b" }],
  ["https://h:1/o/a.git?ref=main&subdir=x#main", { ...https, ref: "main", subdir: "x" }],
  ["https://h:1/o/a.git?branch=b", { ...https, ref: "refs/heads/b" }],
  ["https://h:1/o/a.git?branch=refs/heads/b", { ...https, ref: "refs/heads/b" }],
  ["https://h:1/o/a.git?tag=v%2B1", { ...https, ref: "refs/tags/v+1" }],
  ["https://h:1/o/a.git?commit=abc&fetch-by-commit", { ...https, checksum: "abc", fetchByCommit: true }],
  ["https://h:1/o/a.git?checksum=abc&mtime=commit", { ...https, checksum: "abc", mtime: "commit" }],
  ["https://h:1/o/a.git?keep-git-dir&submodules=f", { ...https, keepGitDir: true, submodules: false }],
  ["https://h:1/o/a.git?subdir=a+b&", { ...https, subdir: "a b" }],
  ["git://h/a.git?", { remote: "git://h/a.git", place: "h/a.git", isSsh: false }],
  ["ssh://git@h/a%20b?ref=c", { remote: "ssh://git@h/a%20b", place: "h/a b", isSsh: true, ref: "c" }],
  ["git@h:o/a.git?ref=v%201#v%201", undefined],
  ["git@h:o/a.git?ref=v+1#v 1:s", { ...scp, ref: "v 1", subdir: "s" }],
  ["https://u:p@h/a.git?ref=c", { remote: "https://u:p@h/a.git", place: "h/a.git", isSsh: false, ref: "c" }],
  [
    "github.com/o/a?ref=c",
    { remote: "https://github.com/o/a", place: "github.com/o/a", isSsh: false, ref: "c" },
  ],
])("%s", (text, reference) => {
  // In scp style the fragment has no escapes, the query has.
  if (reference === undefined)
    expect(() => parseGitReference(text)).toThrow('ref conflicts: "v%201" vs "v 1"');
  else expect(parseGitReference(text)).toEqual(reference);
});

test.each([
  ["?ref=a#b", 'ref conflicts: "b" vs "a"'],
  ["?tag=a#b", 'ref conflicts: "b" vs "refs/tags/a"'],
  ["?subdir=a#:b", 'subdir conflicts: "b" vs "a"'],
  ["?tag=a&branch=b", "branch conflicts with tag"],
  ["?ref=a&ref=b", 'query "ref" has multiple values'],
  ["?ref", 'query "ref" has no value'],
  ["?tag=", 'query "tag" has no value'],
  ["?new=1", 'unexpected query "new"'],
  ["?toString=1", 'unexpected query "toString"'],
  ["?__proto__=1", 'unexpected query "__proto__"'],
  ["?submodules=maybe", 'invalid submodules value: "maybe"'],
  ["?mtime=now", 'invalid mtime value: "now" (must be "checkout" or "commit")'],
  ["?ref=%zz", 'invalid URL escape "%zz"'],
  ["#%zz", 'invalid URL escape "%zz"'],
  ["?ref=%ff", 'the URL escapes of "%ff" are not UTF-8'],
  ["?ref=a;b", "invalid semicolon separator in query"],
])("https://u:word@h/a.git%s is refused", (rest, why) => {
  const text = `https://u:word@h/a.git${rest}`;
  expect(() => parseGitReference(text)).toThrow(`invalid git reference "https://h/a.git${rest}": ${why}`);
  expect(formatGitReference(text)).toBe(text);
});

test("the old form has the ref alone", () => {
  expect(formatGitReference("https://h/a.git?branch=b&subdir=c")).toBe("https://h/a.git#refs/heads/b");
  expect(formatGitReference("https://h/a.git?subdir=c")).toBe("https://h/a.git");
});
