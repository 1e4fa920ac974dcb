import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import net from "node:net";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { EngineClient } from "./client.js";

// A certificate for localhost, made here, since none can be kept in the repository for long.
let directory: string;
let cert: string;
let key: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tls-"));
  const [keyPath, certPath] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", keyPath, "-out", certPath, ...subject], {
    stdio: "ignore",
  });
  cert = readFileSync(certPath, "utf8");
  key = readFileSync(keyPath, "utf8");
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function withServer(options: https.ServerOptions, use: (port: number) => Promise<void>): Promise<void> {
  const server = https.createServer({ ...options, cert, key }, (_request, response) => {
    response.setHeader("Api-Version", "1.41").end("{}");
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

async function infoOf(options: Parameters<typeof EngineClient.open>[0]): Promise<unknown> {
  await using engine = EngineClient.open(options);
  return await engine.info();
}

describe("SEC-36 TLS", () => {
  it("a certificate that is trusted, also mutually", async () => {
    await withServer({ requestCert: true, rejectUnauthorized: true, ca: cert }, async (port) => {
      const host = `tcp://localhost:${port}`;
      expect(await infoOf({ host, tls: { ca: cert, cert, key } })).toEqual({});
    });
  });

  it("a certificate that is not trusted is refused", async () => {
    await withServer({}, async (port) => {
      const call = infoOf({ host: `tcp://localhost:${port}`, tls: {} });
      await expect(call).rejects.toMatchObject({ code: "ENGINE_CONNECT" });
    });
  });

  it("a certificate for another name is refused", async () => {
    await withServer({}, async (port) => {
      const call = infoOf({ host: `tcp://127.0.0.1:${port}`, tls: { ca: cert } });
      await expect(call).rejects.toMatchObject({
        code: "ENGINE_CONNECT",
        cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
      });
    });
  });

  it("unverified only when asked for, with a warning", async () => {
    const warnings: string[] = [];
    await withServer({}, async (port) => {
      const host = `tcp://127.0.0.1:${port}`;
      expect(await infoOf({ host, skipTlsVerify: true, onWarning: (text) => warnings.push(text) })).toEqual(
        {},
      );
      expect(warnings).toEqual([`the certificate of ${host} is not verified`]);
    });
  });

  it("an engine that speaks TLS 1.1 at most is refused", async () => {
    await withServer(
      { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" },
      async (port) => {
        const call = infoOf({ host: `tcp://localhost:${port}`, tls: { ca: cert } });
        await expect(call).rejects.toMatchObject({ code: "ENGINE_CONNECT" });
      },
    );
  });

  it("there is no falling back to plain text", async () => {
    let bytes: Buffer | undefined;
    const server = net.createServer((socket) => {
      socket
        .on("error", () => {})
        .once("data", (chunk: Buffer) => {
          bytes = chunk;
          socket.end("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n{}");
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await expect(infoOf({ host: `tcp://127.0.0.1:${port}`, tls: {} })).rejects.toMatchObject({
      code: "ENGINE_CONNECT",
    });
    // A TLS handshake record.
    expect(bytes?.[0]).toBe(0x16);
    await new Promise((resolve) => server.close(resolve));
  });

  it("a refused connection names the host", async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await expect(infoOf({ host: `tcp://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: "ENGINE_CONNECT",
      message: expect.stringContaining(`tcp://127.0.0.1:${port}`) as string,
    });
  });
});

describe("SEC-36 a socket", () => {
  it.skipIf(process.getuid?.() !== 0)("of another user is warned of, once", async () => {
    await using fake = await FakeEngine.start();
    const path = fake.host.replace("unix://", "");
    const warnings: string[] = [];
    await using engine = EngineClient.open({ host: fake.host, onWarning: (text) => warnings.push(text) });
    await engine.ping();
    expect(warnings).toEqual([]);
    chownSync(path, 12_345, -1);
    await using other = EngineClient.open({ host: fake.host, onWarning: (text) => warnings.push(text) });
    await Promise.all([other.ping(), other.ping()]);
    expect(warnings).toEqual([`the engine's socket ${path} belongs to another user (uid 12345)`]);
    await Promise.all([engine.close(), other.close()]);
  });
});
