import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AnswerControl, AnswerHandler } from "./connection.js";
import type { OutgoingRequest } from "./outgoing.js";
import { Pool } from "./pool.js";

/** What a peer does with the bytes of a connection: one call for each that comes. */
type Peer = (socket: Socket, text: string, connection: number) => void;

let server: Server;
let pool: Pool;
let peer: Peer;
let connections: number;
let sockets: Set<Socket>;

beforeEach(async () => {
  connections = 0;
  sockets = new Set();
  server = createServer((socket) => {
    const number = ++connections;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.on("data", (data) => peer(socket, data.toString(), number));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  pool = new Pool("engine", async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  });
});

afterEach(async () => {
  vi.useRealTimers();
  pool.destroy();
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
});

interface Told {
  status?: number;
  body: string;
  error?: Error;
  socket?: Duplex;
  control?: AnswerControl;
}

/** Sends a request and waits until it is over. */
function ask(
  request: Partial<OutgoingRequest> = {},
  on: Partial<Record<"start" | "data" | "response", (control: AnswerControl) => void>> = {},
): Promise<Told> {
  return new Promise((resolve) => {
    const told: Told = { body: "" };
    const handler: AnswerHandler = {
      onRequestStart: (control) => on.start?.(control),
      onResponseStart: (control, status) => {
        Object.assign(told, { status, control });
        on.response?.(control);
      },
      onResponseData: (control, data) => {
        told.body += data.toString();
        on.data?.(control);
      },
      onResponseEnd: () => resolve(told),
      onRequestUpgrade: (_control, status, _headers, socket) => resolve({ ...told, status, socket }),
      onResponseError: (_control, error) => resolve({ ...told, error }),
    };
    pool.dispatch({ method: "GET", path: "/x", headers: {}, ...request }, handler);
  });
}

const answer = (body: string, more = "") =>
  `HTTP/1.1 200 OK\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

test("a connection serves one request after another, and others at the same time have their own", async () => {
  peer = (socket, text, number) => socket.write(answer(`${number} ${text.split(" ")[1] ?? ""}`));
  expect((await ask({ path: "/a" })).body).toBe("1 /a");
  expect((await ask({ path: "/b" })).body).toBe("1 /b");
  const together = await Promise.all([ask(), ask(), ask()]);
  expect(new Set(together.map(({ body }) => body.split(" ")[0]))).toEqual(new Set(["1", "2", "3"]));
});

test("the request is sent as it is meant", async () => {
  let sent = "";
  peer = (socket, text) => {
    sent = text;
    socket.write(answer(""));
  };
  await ask({ path: "/v1/x?a=%20", headers: { "user-agent": "me" } });
  expect(sent).toBe(
    "GET /v1/x?a=%20 HTTP/1.1\r\nhost: engine\r\nconnection: keep-alive\r\nuser-agent: me\r\n\r\n",
  );
  await ask({ method: "POST", body: '{"é":1}' });
  expect(sent).toContain("\r\ncontent-length: 8\r\n\r\n{");
  await ask({ method: "POST" });
  expect(sent).toContain("\r\ncontent-length: 0\r\n\r\n");
  await ask({ method: "DELETE" });
  expect(sent).not.toContain("content-length");
});

test("a body is sent whole where a Buffer is no instance of the realm's Uint8Array", async () => {
  let sent = "";
  peer = (socket, text) => {
    sent = text;
    socket.write(answer(""));
  };
  // As in Jest's jsdom; its node environment and vitest's hand theirs in.
  vi.stubGlobal("Uint8Array", Uint16Array);
  try {
    await ask({ method: "POST", body: '{"a":1}' });
  } finally {
    vi.unstubAllGlobals();
  }
  expect(sent).toContain('\r\ncontent-length: 7\r\n\r\n{"a":1}');
});

test.each<[what: string, request: Partial<OutgoingRequest>]>([
  ["a path with a space", { path: "/a b" }],
  ["a path with a line break", { path: "/a\r\nX: y" }],
  ["a header with a line break", { headers: { a: "b\r\nc: d" } }],
  ["a header with NUL", { headers: { a: "\0" } }],
  ["a name that is none", { headers: { "a b": "c" } }],
  ["a name of nothing", { headers: { "": "c" } }],
])("%s is not sent", async (_, request) => {
  peer = () => expect.fail("nothing should come");
  expect((await ask(request)).error).toMatchObject({ failure: "invalid" });
  expect(connections).toBe(0);
});

test.each([
  ["asks for it", answer("x", "Connection: close\r\n")],
  ["is of HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"],
  ["keeps none for so long", answer("x", "Keep-Alive: timeout=2\r\n")],
])("a connection whose peer %s is not used again", async (_, text) => {
  peer = (socket, _text, number) => socket.write(number === 1 ? text : answer("again"));
  expect((await ask()).body).toBe("x");
  expect((await ask()).body).toBe("again");
  expect(connections).toBe(2);
});

test("an unused connection is closed after 4 s", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  peer = (socket) => socket.write(answer("x"));
  await ask();
  vi.advanceTimersByTime(3_900);
  await ask();
  expect(connections).toBe(1);
  vi.advanceTimersByTime(4_100);
  await ask();
  expect(connections).toBe(2);
});

test("a connection that is closed while it is used again gives no error: GET is asked once more", async () => {
  peer = (socket, _text, number) => {
    if (number > 1) socket.write(answer("new"));
    else if (socket.bytesRead < 100) socket.write(answer("old"));
    else socket.destroy();
  };
  expect((await ask()).body).toBe("old");
  expect((await ask()).body).toBe("new");
  expect(connections).toBe(2);
});

test("a POST that got no answer is not sent twice", async () => {
  let posts = 0;
  peer = (socket, text) => {
    if (text.startsWith("POST")) {
      posts++;
      socket.destroy();
    } else socket.write(answer("x"));
  };
  await ask();
  expect((await ask({ method: "POST", body: "{}" })).error).toBeDefined();
  expect(posts).toBe(1);
});

test("an answer that has begun is not asked for again", async () => {
  let asked = 0;
  peer = (socket) => {
    if (asked++ === 0) socket.write(answer("x"));
    else socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  };
  await ask();
  expect(await ask()).toMatchObject({ body: "half", error: { failure: "lost" } });
  expect(asked).toBe(2);
});

test("what comes unasked ends the connection, and is nobody's answer", async () => {
  peer = (socket, _text, number) => {
    socket.write(answer(`${number}`));
    if (number === 1) setTimeout(() => socket.write(answer("smuggled")), 10);
  };
  expect((await ask()).body).toBe("1");
  await wait(50);
  expect((await ask()).body).toBe("2");
  peer = (socket) => socket.write(answer("x") + answer("smuggled"));
  expect((await ask()).body).toBe("x");
  expect((await ask()).body).toBe("x");
});

test("a reader that pauses holds the peer back, and gets the rest", async () => {
  const size = 8 << 20;
  let isSent = false;
  peer = (socket) => socket.write(answer("x".repeat(size)), () => (isSent = true));
  let control: AnswerControl | undefined;
  const asked = ask({}, { response: (one) => (control = one).pause() });
  await vi.waitFor(() => expect(control).toBeDefined());
  await wait(50);
  expect(isSent).toBe(false);
  control?.resume();
  expect((await asked).body.length).toBe(size);
  expect((await ask()).body.length).toBe(size);
});

test.each(["start", "response", "data"] as const)(
  "an abort at %s ends the connection and tells the handler",
  async (when) => {
    peer = (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    const enough = new Error("enough");
    expect((await ask({}, { [when]: (control: AnswerControl) => control.abort(enough) })).error).toBe(enough);
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  },
);

test("a connection that changes the protocol is the handler's, with what came behind the answer", async () => {
  peer = (socket, text) =>
    socket.write(text.startsWith("POST") ? "HTTP/1.1 101 UPGRADED\r\n\r\nfirst " : `echo ${text}`);
  const { socket } = await ask({ method: "POST", upgrade: "tcp" });
  let got = "";
  socket?.on("data", (data: Buffer) => (got += data.toString()));
  socket?.write("more");
  await vi.waitFor(() => expect(got).toBe("first echo more"));
  pool.destroy();
  expect(socket?.destroyed).toBe(false);
  socket?.destroy();
});

test("a body in pieces goes out in chunks, as fast as it is taken, and no further than the answer", async () => {
  let sent = "";
  peer = (socket, text) => {
    sent += text;
    if (sent.endsWith("0\r\n\r\n")) socket.write(answer("thanks"));
  };
  const pieces = async function* () {
    yield Buffer.from("ab");
    yield Buffer.alloc(0);
    yield Buffer.from("c".repeat(17));
  };
  expect((await ask({ method: "POST", body: pieces(), close: true })).body).toBe("thanks");
  expect(sent).toContain(
    "connection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n11\r\nccccccccccccccccc\r\n0\r\n\r\n",
  );

  peer = (socket) => void socket.pause().write(answer("enough"));
  let isOver = false;
  let made = 0;
  const endless = async function* () {
    try {
      for (;;) {
        made++;
        yield Buffer.alloc(65_536);
      }
    } finally {
      isOver = true;
    }
  };
  expect((await ask({ method: "POST", body: endless(), close: true })).body).toBe("enough");
  await vi.waitFor(() => expect(isOver).toBe(true));
  expect(made).toBeLessThan(200);
});

test("a source that fails ends the request with its error", async () => {
  peer = () => {};
  const broken = new Error("no more");
  const failing = async function* () {
    yield Buffer.from("a");
    throw broken;
  };
  expect((await ask({ method: "POST", body: failing(), close: true })).error).toBe(broken);
  await vi.waitFor(() => expect(sockets.size).toBe(0));
});

test("closing the pool ends what is under way and what begins later", async () => {
  peer = () => {};
  const waiting = ask();
  await vi.waitFor(() => expect(sockets.size).toBe(1));
  pool.destroy();
  expect((await waiting).error).toMatchObject({ failure: "closed" });
  expect((await ask()).error).toMatchObject({ failure: "closed" });
});
