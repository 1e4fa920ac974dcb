import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { desktopSocket, importBundle, openInDesktop } from "./desktop.js";

let home: string;
let server: Server | undefined;
beforeEach(async () => void (home = await mkdtemp(join(tmpdir(), "slipway-desktop-"))));
afterEach(async () => {
  const old = server;
  server = undefined;
  old?.closeAllConnections();
  if (old) await new Promise((resolve) => old.close(resolve));
  await rm(home, { recursive: true });
  vi.unstubAllEnvs();
});

/** Docker Desktop's build server, as far as it is asked. */
async function desktop(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const path = desktopSocket({ HOME: home });
  await mkdir(dirname(path), { recursive: true });
  const own = (server = createServer({ keepAliveTimeout: 0 }, answer));
  await new Promise<void>((resolve) => own.listen(path, resolve));
  return own;
}

const send = (bundle: Readable, signal?: AbortSignal) =>
  importBundle(bundle, { env: { HOME: home }, signal }).then(
    (urls) => ({ urls, code: "none", message: "" }),
    (error: Error & { code?: string }) => ({ urls: [], code: error.code, message: error.message }),
  );
const connections = (of: Server) =>
  new Promise<number>((resolve) => of.getConnections((_, count) => resolve(count)));

describe("a bundle that Docker Desktop is handed", () => {
  it("is sent whole, and shown where it says", async () => {
    let got: Buffer | undefined;
    await desktop((request, response) => {
      void buffer(request).then((body) => {
        got = body;
        expect([request.method, request.url, request.headers.host]).toEqual([
          "POST",
          "/upload",
          "docker-desktop",
        ]);
        response.end('["a/b",7,null,"c"]');
      });
    });
    const { urls } = await send(Readable.from([Buffer.from("one"), Buffer.from("two")]));
    expect(got?.toString()).toBe("onetwo");
    expect(urls).toEqual([
      expect.stringMatching(/\.imported\/_\/a\/b$/),
      expect.stringMatching(/\.imported\/_\/c$/),
    ]);
  });

  it("is refused in its words, and without them", async () => {
    let text = "no room\n";
    await desktop(
      (request, response) => void request.resume().on("end", () => response.writeHead(500).end(text)),
    );
    expect(await send(Readable.from(["x"]))).toMatchObject({
      code: "HISTORY_DESKTOP",
      message: "failed to import build: no room",
    });
    text = "";
    expect((await send(Readable.from(["x"]))).message).toBe("failed to import build: 500");
  });

  it("is let go of when it is refused before it was read, and so is the connection", async () => {
    const own = await desktop((_request, response) => void response.writeHead(413).end("too large"));
    const bundle = new Readable({ read() {} });
    bundle.push(Buffer.alloc(1 << 20));
    expect((await send(bundle)).message).toBe("failed to import build: too large");
    expect(bundle.destroyed).toBe(true);
    await vi.waitUntil(async () => (await connections(own)) === 0, { timeout: 5_000 });
  });

  it.each(["{", "", "\ufeff", '["a"'])("is not imported where the answer is no JSON: %j", async (text) => {
    await desktop((request, response) => void request.resume().on("end", () => response.end(text)));
    expect(await send(Readable.from(["x"]))).toMatchObject({
      code: "HISTORY_DESKTOP",
      message: expect.stringContaining("answer is not JSON") as string,
    });
  });

  it("is not imported where the answer has no end, or none comes", async () => {
    await desktop((request, response) => {
      request.resume();
      response.write(Buffer.alloc((1 << 20) + 1, " "));
    });
    expect((await send(Readable.from(["x"]))).message).toContain("the answer is too long");
    server
      ?.removeAllListeners("request")
      .on("request", (request: IncomingMessage) => request.socket.destroy());
    expect((await send(Readable.from(["x"]))).message).toMatch(
      /^history import hands bundles to Docker Desktop, which does not/,
    );
  });

  it("is not imported where there is no Docker Desktop", async () => {
    const bundle = Readable.from(["x"]);
    expect(await send(bundle)).toMatchObject({
      code: "HISTORY_DESKTOP",
      message: expect.stringContaining(`does not answer at ${desktopSocket({ HOME: home })}`) as string,
    });
    expect(bundle.destroyed).toBe(true);
  });

  it("that cannot be read is told as that, also where it broke before", async () => {
    await desktop((request) => void request.resume());
    const broken = new Readable({ read: () => void broken.destroy(new Error("the disk is gone")) });
    expect((await send(broken)).message).toBe("the disk is gone");
    const before = new Readable({ read() {} }).on("error", () => {});
    before.destroy(new Error("it was gone before"));
    expect((await send(before)).message).toBe("it was gone before");
    const destroyed = new PassThrough();
    destroyed.destroy();
    expect((await send(destroyed)).code).not.toBe("none");
  });

  it.each(["before", "while it is sent", "while the answer comes"])(
    "is given up by a cancel %s",
    async (when) => {
      const abort = new AbortController();
      const own = await desktop((request, response) => {
        request.resume();
        if (when === "while the answer comes") response.write("[");
        setImmediate(() => abort.abort());
      });
      if (when === "before") abort.abort();
      const bundle = when === "while it is sent" ? new Readable({ read() {} }) : Readable.from(["x"]);
      if (when === "while it is sent") bundle.push("x");
      expect((await send(bundle, abort.signal)).code).toBe("ABORTED");
      expect(bundle.destroyed).toBe(true);
      await vi.waitUntil(async () => (await connections(own)) === 0, { timeout: 5_000 });
    },
  );
});

it("Docker Desktop's socket is where each system has it", () => {
  expect(desktopSocket({ HOME: "/h" }, "linux")).toBe("/h/.docker/desktop/docker-desktop-build.sock");
  expect(desktopSocket({ HOME: "/h", WSL_DISTRO_NAME: "x" }, "linux")).toBe(
    "/mnt/wsl/docker-desktop/shared-sockets/host-services/docker-desktop-build.sock",
  );
  expect(desktopSocket({ HOME: "/h" }, "darwin")).toBe(
    "/h/Library/Containers/com.docker.docker/Data/docker-desktop-build.sock",
  );
  expect(desktopSocket({}, "win32")).toBe("//./pipe/dockerDesktopBuildServer");
});

describe("an address that is opened in the desktop", () => {
  it("is handed to the desktop's own program, and is an error where there is none", async () => {
    vi.stubEnv("PATH", home);
    await expect(openInDesktop("docker-desktop://x")).rejects.toMatchObject({
      code: "HISTORY_DESKTOP",
      message: "cannot open docker-desktop://x: there is no xdg-open on PATH",
    });
    const program = join(home, "xdg-open");
    const told = join(home, "told");
    await writeFile(program, `#!/bin/sh\nprintf %s "$1" >${told}.part && /bin/mv ${told}.part ${told}\n`);
    await chmod(program, 0o755);
    await openInDesktop("docker-desktop://a b?$(x)");
    await vi.waitUntil(() => readFile(told).catch(() => false), { timeout: 10_000 });
    expect(await readFile(told, "utf8")).toBe("docker-desktop://a b?$(x)");
  });

  it("whose program cannot be started is told", async () => {
    vi.stubEnv("PATH", home);
    await writeFile(join(home, "xdg-open"), "#!/nonexistent-interpreter\n");
    await chmod(join(home, "xdg-open"), 0o755);
    await expect(openInDesktop("x")).rejects.toMatchObject({ code: "HISTORY_DESKTOP" });
  });
});
