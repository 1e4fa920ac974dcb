import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Builder, type BuildEvent, type BuildOptions, BuildError, build, files } from "../../src/index.js";
import { testCertificates } from "../support/certificates.js";
import { Workplace } from "../support/workplace.js";

/** A private authority in the builder and in build steps. */
let place: Workplace;
let builder: Builder;
let ca: string;
const { cert, key } = testCertificates;
const server = createServer({ cert, key }, (_, answer) => answer.end("served\n"));

beforeAll(async () => {
  place = await Workplace.open("trust-ca");
  ca = place.path("ca.pem");
  await writeFile(ca, testCertificates.ca);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { env } = place;
  builder = await Builder.create({ name: "trusting", driverOpts: { network: "host" }, trustCa: ca, env });
});
afterAll(async () => {
  server.close();
  await place.close();
});

const run = (options: Partial<BuildOptions> & Pick<BuildOptions, "context">) =>
  build({ builder, env: place.env, outputs: [{ type: "cacheonly" }], ...options });

test("the daemon trusts the authority, and the store keeps it in what buildx knows", async () => {
  const url = `https://localhost:${(server.address() as AddressInfo).port}/x`;
  await run({ context: files({ Dockerfile: `FROM busybox\nADD ${url} /x\nRUN grep served /x\n` }) });
  const [node] = builder.nodes;
  expect(node?.node.driverOpts).toMatchObject({
    "env.SSL_CERT_DIR": "/etc/ssl/certs:/etc/buildkit/certs/trust",
  });
  expect([...(node?.node.files.keys() ?? [])]).toContain("certs/trust/trusted.pem");
  const same = { name: "trusting", driverOpts: { network: "host" }, env: place.env };
  await Builder.ensure({ ...same, trustCa: ca });
  await expect(Builder.ensure(same)).rejects.toMatchObject({ code: "STORE_REFUSED" });
  const { exitCode, stderr } = await place.run([
    "create",
    "--driver",
    "remote",
    "--trust-ca",
    ca,
    "tcp://h:1",
  ]);
  expect([exitCode, stderr]).toEqual([
    1,
    expect.stringContaining("the remote driver cannot make its daemon trust"),
  ]);
});

const dockerfile = `# syntax-free
FROM busybox AS all
RUN [ "\${SSL_CERT_FILE:-none}" = "$WANTED" ] || true
RUN <<EOF
if [ -n "$SSL_CERT_FILE" ]; then
  for file in "$SSL_CERT_FILE" "$NODE_EXTRA_CA_CERTS" "$REQUESTS_CA_BUNDLE" "$CURL_CA_BUNDLE" "$GIT_SSL_CAINFO"; do
    head -n 1 "$file" | grep BEGIN
  done
fi
echo made >/made
EOF
COPY <<EOF /script
RUN not a step
EOF
ONBUILD RUN true
`;

test("build steps trust it, and neither the image nor the cache's keys know", async () => {
  const made = async (more: Partial<BuildOptions>) => {
    const names: string[] = [];
    const { digest } = await run({
      context: files({ Dockerfile: dockerfile }),
      buildArgs: { SOURCE_DATE_EPOCH: "1700000000" },
      provenance: false,
      outputs: [{ type: "oci", dest: place.path("out.tar"), attrs: { "rewrite-timestamp": "true" } }],
      onEvent: (event: BuildEvent) => {
        if (event.type !== "status") return;
        for (const { name, cached } of event.vertexes) names.push(`${name}${cached ? " CACHED" : ""}`);
      },
      ...more,
    });
    return { digest, names };
  };
  const plain = await made({});
  const trusted = await made({ trustCa: ca });
  expect(trusted.digest).toBe(plain.digest);
  expect(trusted.names.join("\n")).toContain("RUN <<EOF");
  expect(trusted.names.join("\n")).not.toContain("slipway.ca");
  // Another authority, and the same steps.
  const other = place.path("other.pem");
  await writeFile(other, testCertificates.cert);
  const again = await made({ trustCa: other });
  expect(again.digest).toBe(plain.digest);
  expect(again.names.filter((name) => /RUN/.test(name) && name.endsWith("CACHED"))).not.toEqual([]);
});

test("what fails is shown as it was written, by its line", async () => {
  const failing = run({
    trustCa: ca,
    context: files({ Dockerfile: "FROM busybox\n\nRUN head -n 1 $SSL_CERT_FILE && \\\n  exit 3\n" }),
  });
  const error = await failing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BuildError);
  const text = (error as BuildError).explain();
  expect(text).toContain("   3 | >>> RUN head -n 1 $SSL_CERT_FILE && \\\n");
  expect(text).toContain("-----BEGIN CERTIFICATE-----");
  expect(text).not.toContain("slipway.ca,");
  expect((error as BuildError).shortMessage).toMatch(/^\[stage-0 2\/2\] RUN head .*: exit code 3$/);
});

test("what cannot be is told before anything is sent", async () => {
  const context = files({ Dockerfile: "FROM scratch\n" });
  await expect(run({ context, trustCa: place.path("none.pem") })).rejects.toThrow("no such file");
  const remote = "https://example.com/repository.git";
  await expect(run({ context: remote, trustCa: ca })).rejects.toThrow("it must come from this side");
});
