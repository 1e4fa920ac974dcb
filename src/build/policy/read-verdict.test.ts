import { describe, expect, it } from "vitest";
import { type SourceName, readVerdict } from "./read-verdict.js";

const image: SourceName = {
  identifier: "docker-image://docker.io/library/alpine:3",
  attrs: { "image.recordtype": "x" },
};
const archive: SourceName = { identifier: "http://a.example/x.tar", attrs: { "http.filename": "x" } };

describe("what a policy says", () => {
  it("is to allow or to deny, with or without a reason", () => {
    expect(readVerdict("allow", image)).toEqual({ verdict: "allow" });
    expect(readVerdict("deny", image)).toEqual({ verdict: "deny" });
    expect(readVerdict({ deny: true }, image)).toEqual({ verdict: "deny" });
    expect(readVerdict({ deny: true, reason: "" }, image)).toEqual({ verdict: "deny" });
    expect(readVerdict({ deny: true, reason: "old" }, image)).toEqual({ verdict: "deny", reason: "old" });
  });

  it("is to take another source, which has the attributes of the first when it is of its kind", () => {
    const to = (convert: unknown, source = image) => readVerdict({ convert }, source);
    expect(to("docker-image://busybox")).toEqual({
      verdict: "convert",
      to: { identifier: "docker-image://docker.io/library/busybox:latest", attrs: image.attrs },
    });
    expect(to("https://b.example/x.tar", archive)).toMatchObject({ to: { attrs: archive.attrs } });
    expect(to("docker-image://busybox", archive)).toMatchObject({ to: { attrs: {} } });
    expect(to({ attrs: { "http.checksum": "sha256:1" } }, archive)).toEqual({
      verdict: "convert",
      to: { identifier: archive.identifier, attrs: { "http.filename": "x", "http.checksum": "sha256:1" } },
    });
    const git = { identifier: "git://a.example/r.git", attrs: { "git.fullurl": "http://a.example/r.git" } };
    // Else the old repository would be cloned under the name of the new one.
    expect(to("git://b.example/r.git", git)).toMatchObject({ to: { attrs: {} } });
  });

  it("that takes what there is already allows it", () => {
    expect(readVerdict({ convert: image.identifier }, image)).toEqual({ verdict: "allow" });
    expect(readVerdict({ convert: "docker-image://alpine:3" }, image)).toEqual({ verdict: "allow" });
    expect(readVerdict({ convert: { attrs: image.attrs } }, image)).toEqual({ verdict: "allow" });
    expect(readVerdict({ convert: {} }, image)).toEqual({ verdict: "allow" });
  });

  it.each<[unknown, string]>([
    [undefined, "gave undefined"],
    [null, "gave null"],
    [true, "gave true"],
    ["Allow", 'gave "Allow"'],
    ["", 'gave ""'],
    [0, "gave the number 0"],
    [["allow"], "gave a list"],
    [() => "allow", "gave a function"],
    [{}, "is no verdict"],
    [{ deny: false }, "is no verdict"],
    [{ deny: "why" }, "is no verdict"],
    [{ allow: true }, 'an object with "allow"'],
    [{ deny: true, convert: "docker-image://a" }, "is no verdict"],
    [{ deny: true, reason: 1 }, "a reason that is the number 1"],
    [{ deny: true, reasons: "x" }, 'an object with "reasons"'],
    [{ convert: "alpine" }, 'converts to "alpine"'],
    [{ convert: "" }, 'converts to ""'],
    [{ convert: "docker-image://" }, 'converts to "docker-image://"'],
    [{ convert: "docker-image://a b" }, 'converts to "docker-image://a b"'],
    [
      { convert: "docker-image://a/B" },
      'converts to "docker-image://a/B", which is none: invalid reference format',
    ],
    [{ convert: null }, "gave null"],
    [{ convert: { identifier: 1 } }, "converts to the number 1"],
    [{ convert: { attrs: { a: 1 } } }, 'the number 1 as the attribute "a"'],
    [{ convert: { attrs: "a" } }, 'gave "a"'],
    [{ convert: { attr: {} } }, 'an object with "attr"'],
  ])("is refused when it is none: %j", (given, problem) => {
    expect(() => readVerdict(given, image)).toThrow(problem);
  });
});
