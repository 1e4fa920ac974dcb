import { describe, expect, it, test } from "vitest";
import { AnswerParser } from "./answer-parser.js";

interface Read {
  status?: number;
  headers?: object;
  body: string;
  ended: boolean;
  upgraded?: string;
  /** Bytes that were not of the answer. */
  left: string;
}

/** Reads an answer that comes in pieces of that size, with the end of the connection behind it if there is one. */
function read(text: string, { method = "GET", upgrades = false, piece = 1e9, ends = false } = {}): Read {
  const got: Read = { body: "", ended: false, left: "" };
  const parser = new AnswerParser(
    { method, upgrades, mostHeaderBytes: 1024 },
    {
      onHead: ({ status, headers }) => Object.assign(got, { status, headers: { ...headers } }),
      onData: (data) => (got.body += data.toString("latin1")),
      onEnd: () => (got.ended = true),
      onUpgrade: ({ status }, rest) => Object.assign(got, { status, upgraded: rest.toString("latin1") }),
    },
  );
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += piece) {
    const chunk = bytes.subarray(at, at + piece);
    got.left += chunk.subarray(parser.push(chunk)).toString("latin1");
  }
  if (ends) parser.finish();
  return got;
}

const head = (...lines: string[]) => ["HTTP/1.1 200 OK", ...lines, "", ""].join("\r\n");

describe.each([1, 2, 3, 7, 1e9])("an answer in pieces of %d bytes", (piece) => {
  it.each<[what: string, text: string, options: Parameters<typeof read>[1], expected: Partial<Read>]>([
    ["of a length", `${head("Content-Length: 5")}hello`, {}, { body: "hello", ended: true }],
    ["of length 0", head("Content-Length: 0"), {}, { body: "", ended: true }],
    ["that is too short", `${head("Content-Length: 6")}hello`, {}, { body: "hello", ended: false }],
    [
      "with more behind it",
      `${head("Content-Length: 2")}hello`,
      {},
      { body: "he", left: "llo", ended: true },
    ],
    ["that says its length twice", `${head("Content-Length: 1", "content-length: 1")}x`, {}, { body: "x" }],
    [
      "in chunks",
      `${head("Transfer-Encoding: chunked")}3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n`,
      {},
      { body: "abc0123456789", ended: true },
    ],
    [
      "in chunks with trailers",
      `${head("transfer-encoding:Chunked")}1\r\na\r\n000\r\nMore: x\r\n\r\nnext`,
      {},
      { body: "a", ended: true, left: "next" },
    ],
    [
      "until the connection ends",
      `${head()}all\r\nof it`,
      { ends: true },
      { body: "all\r\nof it", ended: true },
    ],
    ["to HEAD", head("Content-Length: 7"), { method: "HEAD" }, { body: "", ended: true }],
    ["without content", "HTTP/1.1 204 No Content\r\n\r\n", {}, { status: 204, ended: true }],
    ["of nothing new", "HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n", {}, { status: 304, ended: true }],
    ["of a status alone", "HTTP/1.0 500\r\n\r\noops", { ends: true }, { status: 500, body: "oops" }],
    [
      "after others",
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n${head("Content-Length: 1")}y`,
      {},
      { status: 200, headers: { "content-length": "1" }, body: "y", ended: true },
    ],
    [
      "of the same header again and again, and of none's names",
      head("Set-Cookie:  a ", "set-cookie:b", "SET-COOKIE: c", "__proto__: d", "Empty:", "Content-Length: 0"),
      {},
      { headers: { "set-cookie": ["a", "b", "c"], ["__proto__"]: "d", empty: "", "content-length": "0" } },
    ],
    [
      "of another protocol",
      "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n",
      { upgrades: true },
      { status: 101, upgraded: "" },
    ],
  ])("%s", (_, text, options, expected) => {
    expect(read(text, { ...options, piece })).toMatchObject(expected);
  });
});

test("what comes with the change of the protocol is of the new one", () => {
  const { upgraded, left } = read("HTTP/1.1 101 X\r\n\r\nPRI *", { upgrades: true });
  expect([upgraded, left]).toEqual(["PRI *", ""]);
});

test.each<[what: string, text: string, says: string]>([
  ["no HTTP", "SSH-2.0-OpenSSH\r\n", "status line"],
  ["HTTP/2", "HTTP/2.0 200 OK\r\n", "status line"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n", "status line"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n", "status line"],
  ["lines without CR", "HTTP/1.1 200 OK\n", "CR and LF"],
  ["a header without a colon", head("nothing"), "header line"],
  ["a header without a name", head(": x"), "header line"],
  ["a name with a space", head("A b: x"), "header line"],
  ["a space before the colon", head("Content-Length : 1"), "header line"],
  ["a line that is continued", head("A: x", " y"), "header line"],
  ["a header with NUL", head("A: x\0"), "control characters"],
  ["a header with a CR of its own", head("A: x\ry"), "control characters"],
  ["two lengths", head("Content-Length: 1", "Content-Length: 2"), "no certain length"],
  ["a length that is none", head("Content-Length: 0x10"), "no certain length"],
  ["a negative length", head("Content-Length: -1"), "no certain length"],
  ["a length with a sign", head("Content-Length: +1"), "no certain length"],
  ["a length beyond all numbers", head("Content-Length: 9999999999999999"), "no certain length"],
  ["a length and chunks", head("Content-Length: 1", "Transfer-Encoding: chunked"), "two lengths"],
  ["a coding that nobody asked for", head("Transfer-Encoding: gzip, chunked"), "transfer coding"],
  ["chunks without a length", `${head("Transfer-Encoding: chunked")}\r\n`, "without a length"],
  ["chunks of no number", `${head("Transfer-Encoding: chunked")}-1\r\n`, "without a length"],
  ["chunks that end in LF alone", `${head("Transfer-Encoding: chunked")}1\r\na\n`, "CR and LF"],
  ["longer chunks than told", `${head("Transfer-Encoding: chunked")}1\r\nabc\r\n`, "longer than it says"],
  ["another protocol that nobody asked for", "HTTP/1.1 101 X\r\n\r\n", "without being asked"],
  [
    "headers without end",
    head(...Array.from({ length: 200 }, (_, n) => `A${n}: xxxx`)),
    "more than 1024 bytes",
  ],
  ["a header line without end", `HTTP/1.1 200 OK\r\nA: ${"x".repeat(2000)}`, "more than 1024 bytes"],
  ["early answers without end", "HTTP/1.1 102 X\r\n\r\n".repeat(100), "more than 1024 bytes"],
  [
    "trailers without end",
    `${head("Transfer-Encoding: chunked")}0\r\n${"A: b\r\n".repeat(300)}`,
    "more than 1024 bytes",
  ],
])("%s is refused, in pieces too", (_, text, says) => {
  for (const piece of [1, 5, 1e9])
    expect(() => read(text, { piece })).toThrow(
      expect.objectContaining({ failure: "protocol", message: expect.stringContaining(says) as string }),
    );
});

test.each([
  ["", "before its answer"],
  ["HTTP/1.1 2", "before its answer"],
  ["HTTP/1.1 200 OK\r\nA: ", "in its answer"],
  [`${head("Content-Length: 2")}x`, "in its answer"],
  [`${head("Transfer-Encoding: chunked")}1\r\nx\r\n`, "in its answer"],
])("a connection that ends behind %j is lost", (text, says) => {
  expect(() => read(text, { ends: true })).toThrow(
    expect.objectContaining({ failure: "lost", message: `the peer closed the connection ${says}` }),
  );
});

test("many small chunks are read in linear time, whatever their pieces", () => {
  const chunks = "1\r\nx\r\n".repeat(20_000);
  expect(read(`${head("Transfer-Encoding: chunked")}${chunks}0\r\n\r\n`, { piece: 1 }).body.length).toBe(
    20_000,
  );
});
