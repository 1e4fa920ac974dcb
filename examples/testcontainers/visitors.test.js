// The app in its own image, beside a database. usage: npm install && npx vitest run
import { fileURLToPath } from "node:url";
import { BuildKitContainer, buildImage } from "slipway/testcontainers";
import { GenericContainer, Network, Wait } from "testcontainers";
import { afterAll, beforeAll, expect, test } from "vitest";

// Where docker.io is not reached, its images come from a mirror that speaks plain HTTP.
const mirror = process.env.REGISTRY_MIRROR;

let network;
let database;
let app;

/** Without a builder of our own, all test files share one that buildImage() makes. */
async function builderOption() {
  if (!mirror) return {};
  const container = new BuildKitContainer().withRegistryMirror(mirror, { http: true }).withReuse();
  return { builder: await container.start() };
}

beforeAll(async () => {
  const context = fileURLToPath(new URL("app", import.meta.url));
  network = await new Network().start();
  // The image is built while the database starts.
  const [image, started] = await Promise.all([
    builderOption().then((option) => buildImage({ context, ...option })),
    new GenericContainer("redis:7")
      .withNetwork(network)
      .withNetworkAliases("database")
      .withWaitStrategy(Wait.forLogMessage("Ready to accept connections"))
      .start(),
  ]);
  database = started;
  app = await new GenericContainer(image)
    .withNetwork(network)
    .withEnvironment({ REDIS_HOST: "database" })
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forHttp("/", 8080))
    .start();
}, 120_000);

afterAll(async () => {
  await app?.stop();
  await database?.stop();
  await network?.stop();
});

async function visit() {
  const answer = await fetch(`http://${app.getHost()}:${app.getMappedPort(8080)}/`);
  return Number(/^visitor (\d+)/.exec(await answer.text())?.[1]);
}

test("every visitor is counted", async () => {
  const first = await visit();
  expect(await visit()).toBe(first + 1);
});

test("the count is in the database", async () => {
  const count = await visit();
  const { output } = await database.exec(["redis-cli", "GET", "visitors"]);
  expect(output.trim()).toBe(String(count));
});
