import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Builder, type Connection, connect, files } from "../../src/index.js";

let builder: Builder;
let connection: Connection;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "slipway-inputs-"));
  builder = await Builder.ensure({ name: "inputs", driverOpts: { network: "host" } });
  connection = await connect({ builder });
});

afterAll(async () => {
  await connection?.close();
  await builder?.remove();
  await rm(scratch, { recursive: true, force: true });
});

/** What `COPY --from=base` finds in `/greeting` of the named context. */
async function greeting(source: string): Promise<string> {
  const dest = await mkdtemp(join(scratch, "out-"));
  await connection.build({
    context: files({ Dockerfile: "FROM base\nFROM scratch\nCOPY --from=base /greeting /\n" }),
    buildContexts: { base: source },
    outputs: [{ type: "local", dest }],
  });
  return readFile(join(dest, "greeting"), "utf8");
}

describe("OCI layouts", () => {
  test("an output with tar=false is a layout, which is a context by tag and by digest", async () => {
    const layout = join(scratch, "layout");
    const { digest } = await connection.build({
      context: files({ Dockerfile: "FROM scratch\nCOPY greeting /\n", greeting: "hello" }),
      outputs: [{ type: "oci", dest: layout, attrs: { tar: "false", name: "example.com/app:1.2" } }],
    });
    const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as unknown;
    expect(index).toMatchObject({
      manifests: [
        {
          digest,
          annotations: {
            "io.containerd.image.name": "example.com/app:1.2",
            "org.opencontainers.image.ref.name": "1.2",
          },
        },
      ],
    });
    expect(await greeting(`oci-layout://${layout}:1.2`)).toBe("hello");
    expect(await greeting(`oci-layout://${layout}@${digest ?? ""}`)).toBe("hello");

    // A second image without a name is "latest" beside the first.
    const other = await connection.build({
      context: files({ Dockerfile: "FROM scratch\nCOPY greeting /\n", greeting: "again" }),
      outputs: [{ type: "oci", dest: layout, attrs: { tar: "false" } }],
    });
    expect(await greeting(`oci-layout://${layout}`)).toBe("again");
    expect(await greeting(`oci-layout://${layout}:1.2`)).toBe("hello");
    expect(other.digest).not.toBe(digest);
  });

  test("the only image of a layout is taken by any tag, as buildx does", async () => {
    const layout = join(scratch, "single");
    await connection.build({
      context: files({ Dockerfile: "FROM scratch\nCOPY greeting /\n", greeting: "only" }),
      tags: ["example.com/single:1"],
      outputs: [{ type: "oci", dest: layout, attrs: { tar: "false" } }],
    });
    for (const tag of ["", ":1", ":other"])
      expect(await greeting(`oci-layout://${layout}${tag}`)).toBe("only");
  });

  test("what a layout lacks is told by name", async () => {
    const layout = join(scratch, "layout");
    await expect(greeting(`oci-layout://${layout}:9`)).rejects.toThrow("no manifest with the tag 9");
    await expect(greeting(`oci-layout://${scratch}/none`)).rejects.toThrow("none/index.json");
  });
});

test("ssh agents and keys that are not there are told before the build", async () => {
  const build = (ssh: string) =>
    connection.build({ context: files({ Dockerfile: "FROM scratch\n" }), ssh: [ssh], env: {} });
  await expect(build("default")).rejects.toThrow("invalid empty ssh agent socket");
  await expect(build("id=/no/such/key")).rejects.toThrow("/no/such/key");
});
