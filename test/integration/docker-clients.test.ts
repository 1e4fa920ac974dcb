import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { pack } from "../support/installed-package.js";
import { type RegistryProxy, registryProxy } from "../support/registry-proxy.js";
import { Workplace } from "../support/workplace.js";

// Programs that call `docker`, installed from npm beside the packed package, with `slipway-docker` in its place. They need 200 MB
// each, so they run with SLIPWAY_TEST_TOOLS=1 alone (npm run test:tools), on an engine with named contexts: devcontainers wants them.

const wanted = process.env["SLIPWAY_TEST_TOOLS"] === "1";
if (!wanted)
  console.log("docker-clients: not run without SLIPWAY_TEST_TOOLS=1 (npm run test:tools): 600 MB of tools");

const run = promisify(execFile);
const { registry } = engineEnv();
let place: Workplace;
let npmProxy: RegistryProxy | undefined;
let project: string;
/** The only directory of the clients' PATH: there is no other docker in it. */
let bin: string;
/** Ends the servers and containers of one test. */
const leftOver: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  if (!wanted) return;
  place = await Workplace.open("docker-clients");
  npmProxy = await registryProxy();
  project = await place.context({ "package.json": '{"private":true}' });
  const { tarball } = await pack(place.dir);
  await npm(tarball, "@devcontainers/cli@0.89.0", "wrangler@4.86.0", "cdk-assets@4.7.3");
  bin = place.path("bin");
  await mkdir(bin);
  // nx looks for programs beside Node's own file, too: a copy has nothing beside it.
  await copyFile(process.execPath, join(bin, "node"));
  for (const name of ["sh", "git"]) await symlink(join("/usr/bin", name), join(bin, name));
  await writeFile(
    join(bin, "docker"),
    `#!/bin/sh\necho "$@" >>${place.path("calls")}\nexec ${join(bin, "node")} ${join(project, "node_modules/slipway/dist/docker.cjs")} "$@"\n`,
    { mode: 0o755 },
  );
  await place.engine.images.pull("busybox");
}, 900_000);

afterAll(async () => {
  for (const end of leftOver) await end();
  npmProxy?.close();
  await place?.close();
});

async function npm(...packages: string[]): Promise<void> {
  const quiet = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  const env = { ...process.env, ...npmProxy?.env, npm_config_update_notifier: "false" };
  await run("npm", ["install", ...quiet, ...packages], { cwd: project, env, timeout: 600_000 });
}

/** Runs a client by its script in node_modules, and gives what it prints and the docker command lines that it called. */
async function client(
  script: string,
  args: string[],
  { cwd = project, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  await writeFile(place.path("calls"), "");
  const { DOCKER_HOST, DOCKER_CONFIG, HOME } = place.env;
  const own = { DOCKER_HOST, DOCKER_CONFIG, HOME, PATH: bin, CI: "1", NO_COLOR: "1", ...env };
  const { stdout, stderr } = await run(join(bin, "node"), [join(project, "node_modules", script), ...args], {
    cwd,
    env: own,
    timeout: 240_000,
  });
  return { said: stdout + stderr, stdout, calls: (await readFile(place.path("calls"), "utf8")).split("\n") };
}

/** An API that a client asks, at a port of this machine. */
async function serve(answer: (request: IncomingMessage, body: string, response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(request, Buffer.concat(chunks).toString(), response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  leftOver.push(async () => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function tagsOf(repository: string): Promise<unknown> {
  const response = await fetch(`http://${registry}/v2/${repository}/tags/list`);
  return ((await response.json()) as { tags: unknown }).tags;
}

describe.skipIf(!wanted)("slipway-docker is the docker of", () => {
  test("devcontainers: builds with a feature, runs, and executes", { timeout: 400_000 }, async () => {
    const folder = await place.context({
      ".devcontainer/devcontainer.json":
        '{ "image": "busybox", "features": { "./hello": { "greeting": "hi" } } }',
      ".devcontainer/hello/devcontainer-feature.json": JSON.stringify({
        id: "hello",
        version: "1.0.0",
        name: "hello",
        options: { greeting: { type: "string", default: "hey" } },
      }),
      ".devcontainer/hello/install.sh":
        '#!/bin/sh\nprintf "#!/bin/sh\\necho $GREETING\\n" >/bin/hello\nchmod +x /bin/hello\n',
    });
    const cli = "@devcontainers/cli/devcontainer.js";
    // The testbed has no image of the frontend that the client's syntax line names.
    const flags = ["--workspace-folder", folder, "--docker-path", join(bin, "docker")];
    const image = `${place.id}-dev:1`;
    leftOver.push(() => place.engine.images.remove(image, { force: true }));
    const built = await client(cli, ["build", "--omit-syntax-directive", "--image-name", image, ...flags]);
    expect(JSON.parse(built.stdout)).toMatchObject({ outcome: "success", imageName: [image] });
    expect(await place.engine.images.inspect(image)).toHaveProperty("Id");
    const up = await client(cli, ["up", "--omit-syntax-directive", ...flags]);
    const { outcome, containerId } = JSON.parse(up.stdout) as { outcome: string; containerId: string };
    leftOver.unshift(() => place.engine.containers.remove(containerId, { force: true }));
    expect(outcome).toBe("success");
    expect(up.calls).toContain("events --format {{json .}} --filter event=start");
    expect((await client(cli, ["exec", ...flags, "hello"])).stdout).toBe("hi\n");
  });

  test("wrangler: builds and pushes, and pushes nothing twice", { timeout: 400_000 }, async () => {
    const folder = await place.context({
      Dockerfile: `FROM busybox\nRUN echo ${place.id} >/x\nEXPOSE 80\n`,
      "wrangler.json":
        '{ "name": "w", "account_id": "acc", "main": "i.js", "compatibility_date": "2025-01-01" }',
      "i.js": "export default {}",
    });
    const url = await serve(({ url }, _body, response) => {
      const account = {
        external_account_id: place.id,
        account_id: "acc",
        limits: { disk_mb_per_deployment: 2000, memory_mib_per_deployment: 1024, vcpu_per_deployment: 1 },
        locations: [],
        defaults: {},
      };
      const credentials = { account_id: "acc", registry_host: registry, username: "v1", password: "secret" };
      const result = url?.includes("/credentials") ? credentials : account;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ success: true, errors: [], messages: [], result }));
    });
    const env = {
      CLOUDFLARE_API_TOKEN: "t",
      CLOUDFLARE_ACCOUNT_ID: "acc",
      CLOUDFLARE_API_BASE_URL: url,
      CLOUDFLARE_CONTAINER_REGISTRY: registry,
      WRANGLER_DOCKER_BIN: join(bin, "docker"),
      WRANGLER_SEND_METRICS: "false",
    };
    const push = () =>
      client("wrangler/bin/wrangler.js", ["containers", "build", ".", "-t", "web:v1", "-p"], {
        cwd: folder,
        env,
      });
    const first = await push();
    expect(first.said).toContain("Image does not exist remotely, pushing");
    expect(first.calls).toContain(`push ${registry}/${place.id}/web:v1`);
    expect(await tagsOf(`${place.id}/web`)).toEqual(["v1"]);
    expect((await push()).said).toContain("Image already exists remotely, skipping push");
  });

  test("cdk-assets: builds and publishes", { timeout: 400_000 }, async () => {
    const folder = await place.context({
      "img/Dockerfile": `FROM busybox\nRUN echo ${place.id} >/x\n`,
      "assets.json": JSON.stringify({
        version: "38.0.0",
        files: {},
        dockerImages: {
          [place.id]: {
            displayName: "img",
            source: { directory: "img" },
            destinations: { here: { repositoryName: "assets", imageTag: place.id, region: "us-east-1" } },
          },
        },
      }),
    });
    const json = (response: ServerResponse, value: unknown, status = 200) => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(value));
    };
    const url = await serve(({ headers }, body, response) => {
      const target = String(headers["x-amz-target"] ?? "")
        .split(".")
        .at(-1);
      if (body.includes("GetCallerIdentity")) {
        const identity =
          "<Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId><Account>123456789012</Account>";
        const result = `<GetCallerIdentityResult>${identity}</GetCallerIdentityResult>`;
        response.setHeader("content-type", "text/xml");
        response.end(`<GetCallerIdentityResponse>${result}</GetCallerIdentityResponse>`);
      } else if (target === "DescribeRepositories") {
        json(response, { repositories: [{ repositoryName: "assets", repositoryUri: `${registry}/assets` }] });
      } else if (target === "DescribeImages") {
        json(response, { __type: "ImageNotFoundException", message: "no" }, 400);
      } else {
        const authorizationToken = Buffer.from("AWS:secret").toString("base64");
        json(response, { authorizationData: [{ authorizationToken, proxyEndpoint: `http://${registry}` }] });
      }
    });
    const env = {
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
      AWS_REGION: "us-east-1",
      AWS_ENDPOINT_URL: url,
      CDK_DOCKER: join(bin, "docker"),
    };
    const published = await client("cdk-assets/bin/cdk-assets", ["publish", "-p", folder, "-v"], { env });
    expect(published.said).toContain("success: Published img");
    expect(published.calls).toContain(`login --username AWS --password-stdin ${registry}`);
    expect(await tagsOf("assets")).toContain(place.id);
  });

  test("nx-container: builds into the engine", { timeout: 900_000 }, async () => {
    await npm("@nx-tools/nx-container@7.3.0");
    const image = `${place.id}-nx:1`;
    leftOver.push(() => place.engine.images.remove(image, { force: true }));
    await writeFile(join(project, "nx.json"), '{ "analytics": false, "neverConnectToCloud": true }');
    await mkdir(join(project, "apps/a"), { recursive: true });
    await writeFile(join(project, "apps/a/Dockerfile"), `FROM busybox\nRUN echo ${place.id} >/x\n`);
    const options = {
      engine: "docker",
      context: "apps/a",
      file: "apps/a/Dockerfile",
      load: true,
      tags: [image],
    };
    const targets = { container: { executor: "@nx-tools/nx-container:build", options } };
    await writeFile(
      join(project, "apps/a/project.json"),
      JSON.stringify({ name: "a", root: "apps/a", targets }),
    );
    const { bin: entry } = JSON.parse(
      await readFile(join(project, "node_modules/nx/package.json"), "utf8"),
    ) as { bin: { nx: string } };
    const env = { NX_DAEMON: "false", NX_TUI: "false", NX_NO_CLOUD: "true" };
    const built = await client(join("nx", entry.nx), ["run", "a:container"], { env });
    expect(built.said).toContain("Successfully ran target container");
    const [, none] = built.calls.filter((line) => line === "buildx" || line === "");
    expect(none).toBeDefined();
    expect(await place.engine.images.inspect(image)).toHaveProperty("Id");
  });
});
