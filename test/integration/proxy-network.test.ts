import { readFile } from "node:fs/promises";
import { type Server, createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildError, Builder, type Connection, connect, files } from "../../src/index.js";
import { Workplace } from "../support/workplace.js";

/** What a build asks of the network: listed, and refused. */
const address = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find((one) => one.family === "IPv4" && !one.address.startsWith("127."))?.address;

let server: Server;
let host: string;
let builder: Builder;
let connection: Connection;

beforeAll(async () => {
  server = createServer((request, response) => {
    response.statusCode = request.url === "/missing" ? 404 : 200;
    response.end("content\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  host = `${address}:${(server.address() as AddressInfo).port}`;
  builder = await Builder.ensure({ name: "proxy-network", driverOpts: { network: "host" } });
  connection = await connect({ builder });
}, 120_000);

afterAll(async () => {
  await connection?.close();
  await builder?.remove();
  server?.close();
});

const fetching = (...paths: string[]) =>
  files({
    Dockerfile: `FROM busybox\n${paths.map((path) => `RUN wget -q -O - http://${host}${path} || echo no\n`).join("")}`,
  });

test("requests are listed with what came of them; a step from the cache asks nothing, and that is told", async () => {
  expect(address).toBeDefined();
  const messages: string[] = [];
  const options = {
    context: fetching("/good", "/missing"),
    proxyNetwork: true,
    onEvent: (event: { type: string; text?: string }) =>
      void (event.type === "message" && messages.push(event.text ?? "")),
  };
  const { network } = await connection.build(options);
  expect(network?.requests).toEqual([
    {
      url: `http://${host}/good`,
      allowed: true,
      method: "GET",
      status: 200,
      step: expect.stringContaining("/good") as string,
    },
    {
      url: `http://${host}/missing`,
      allowed: true,
      method: "GET",
      status: 404,
      step: expect.stringContaining("/missing") as string,
    },
  ]);
  expect(messages.join()).not.toContain("asked nothing");
  const again = await connection.build(options);
  expect(again.network?.requests).toEqual([]);
  expect(again.network?.cachedSteps).toHaveLength(2);
  expect(messages.join()).toContain("2 RUN steps came from the cache and asked nothing");
});

test("the error of a build that fails has what its steps asked for", async () => {
  const context = files({
    Dockerfile: `FROM busybox\nRUN wget -q -O /dev/null http://${host}/before && wget -q -O - http://${host}/missing\n`,
  });
  const failing = connection.build({ context, proxyNetwork: true, noCache: true });
  const error = (await failing.catch((failure: unknown) => failure)) as BuildError;
  expect(error).toMatchObject({ code: "BUILD_FAILED" });
  expect(error.network?.requests).toMatchObject([
    { url: `http://${host}/before`, status: 200 },
    { url: `http://${host}/missing`, status: 404 },
  ]);
});

test("a result that is open tells of its build, and of the commands that run in it", async () => {
  const refused = `http://${host}/refused`;
  await using result = await connection.openResult({
    context: fetching("/opened"),
    noCache: true,
    proxyNetwork: { allow: ({ url }) => url !== refused },
  });
  const opened = { url: `http://${host}/opened`, allowed: true };
  expect(result.network?.requests).toMatchObject([opened]);
  const asked = `wget -q -O - http://${host}/exec; wget -q -O - ${refused}`;
  const { exitCode, stdout, stderr } = await result.exec(["sh", "-c", asked]);
  expect(stdout.toString()).toBe("content\n");
  expect(stderr.toString()).toContain("403");
  expect(exitCode).not.toBe(0);
  expect(result.network?.requests).toMatchObject([
    opened,
    { url: `http://${host}/exec`, allowed: true },
    { url: refused, allowed: false },
  ]);
  await result.close();
  // What came of a request stands in the log, which has been read to its end by now.
  expect(result.network?.requests[0]).toMatchObject({ ...opened, method: "GET", status: 200 });
  expect(result.network?.requests).toHaveLength(3);
  await using plain = await connection.openResult({ context: fetching("/plain") });
  expect(plain.network).toBeUndefined();
});

test("an error whose step is kept tells of it while it is kept, and which build it was", async () => {
  const context = files({
    Dockerfile: `FROM busybox\nRUN wget -q -O /dev/null http://${host}/before && wget -q -O - http://${host}/missing\n`,
  });
  const proxied = { context, proxyNetwork: true, noCache: true };
  for (const run of [
    () => connection.build({ ...proxied, onFailure: "keep" }),
    () => connection.openResult({ ...proxied, onFailure: "keep" }),
    () => connection.openResult(proxied),
  ]) {
    await using error = (await run().then(
      () => undefined,
      (failure: unknown) => failure,
    )) as BuildError;
    expect(error).toMatchObject({
      code: "BUILD_FAILED",
      ref: expect.stringMatching(/^proxy-network\//) as string,
    });
    expect(error.network?.requests).toMatchObject([
      { url: `http://${host}/before`, allowed: true },
      { url: `http://${host}/missing`, allowed: true },
    ]);
  }
});

test("a function and hosts refuse, in steps and of ADD; other ways than http are closed", async () => {
  const asked: string[] = [];
  const { network } = await connection.build({
    context: fetching("/yes", "/refused"),
    noCache: true,
    proxyNetwork: {
      allow: ({ url }) => {
        asked.push(url);
        return Promise.resolve(url.endsWith("/yes"));
      },
    },
  });
  expect(asked).toEqual([`http://${host}/yes`, `http://${host}/refused`]);
  expect(network?.requests).toMatchObject([{ allowed: true, status: 200 }, { allowed: false }]);
  const add = files({ Dockerfile: `FROM scratch\nADD http://${host}/added /added\n` });
  await expect(
    connection.build({ context: add, proxyNetwork: { allowHosts: ["example.com"] } }),
  ).rejects.toThrow(`source "http://${host}/added" not allowed by policy`);
  const added = await connection.build({ context: add, proxyNetwork: { allowHosts: [host] } });
  expect(added.network?.requests).toContainEqual({ url: `http://${host}/added`, allowed: true });
  const raw = files({
    Dockerfile: `FROM busybox\nRUN nc -w 2 ${host.replace(":", " ")} </dev/null && exit 1; true\n`,
  });
  expect((await connection.build({ context: raw, proxyNetwork: true })).network?.requests).toEqual([]);
  const thrown = connection.build({
    context: fetching("/thrown"),
    noCache: true,
    proxyNetwork: {
      allow: () => {
        throw new Error("the rules are broken");
      },
    },
  });
  expect((await thrown).network?.requests).toMatchObject([{ allowed: false }]);
});

test("the command writes the list, also of a build that fails, and refuses by hosts", async () => {
  await using place = await Workplace.open("proxy-network");
  const own = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
  const dir = await place.context({ Dockerfile: `FROM busybox\nRUN wget -q -O - http://${host}/a\n` });
  const log = place.path("log.json");
  const report = place.path("report.html");
  const told = await place.run([
    ...["build", "--builder", own, "--allow-hosts", "example.com,*.example.org"],
    ...["--network-log", log, "--report", report, dir],
  ]);
  expect(told.exitCode).toBe(1);
  expect(told.stderr).toContain("403 Forbidden");
  expect(JSON.parse(await readFile(log, "utf8"))).toEqual({
    requests: [{ url: `http://${host}/a`, allowed: false }],
    left: 0,
    cachedSteps: [],
  });
  expect(await readFile(report, "utf8")).toContain("refused");
  const wrong = await place.run(["build", "--builder", own, "--allow-hosts", "https://a", dir]);
  expect(wrong).toMatchObject({ exitCode: 1 });
  expect(wrong.stderr).toContain('invalid host "https://a"');
});
