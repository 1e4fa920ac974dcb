import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../support/workplace.js";

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.open("doctor");
  await place.succeed(["create", "--name", "patient", "--driver-opt", "network=host", "--use"]);
});
afterAll(() => place.close());

test("a healthy machine: a line for each, exit code 0", async () => {
  const cold = await place.run(["doctor"], { env: { NODE_EXTRA_CA_CERTS: undefined } });
  expect(cold.stdout).toMatch(/^note {5}builder: patient \(docker-container\) is inactive$/m);
  expect(cold.stdout).toMatch(/^note {5}registry from builder: not tried/m);
  expect(cold.exitCode).toBe(0);
  await place.succeed(["inspect", "--bootstrap"]);
  const env = { NODE_EXTRA_CA_CERTS: undefined };
  const { exitCode, stdout, stderr } = await place.run(["doctor"], { env });
  expect(stderr).toBe("");
  for (const line of [
    /^ok {7}engine: .+ at unix:\/\/.+$/m,
    /^ok {7}clock: the engine's is within \d+ s of this machine's$/m,
    /^ok {7}disk: [\d.]+ GiB of [\d.]+ GiB are free/m,
    /^ok {7}builder: patient \(docker-container\) is running$/m,
    /^ok {7}daemon: BuildKit v/m,
    /^ok {7}proxy: none is configured$/m,
    /^ok {7}authorities: /m,
    /^ok {7}credentials: none/m,
    /^ok {7}registry from here: busybox is sha256:[0-9a-f]{64}$/m,
    /^ok {7}registry from builder: docker\.io\/library\/busybox can be pulled$/m,
  ])
    expect(stdout).toMatch(line);
  expect(exitCode).toBe(0);
});

test("what is wrong is told with the way out, and the exit code is 1", async () => {
  await writeFile(place.path("docker/config.json"), JSON.stringify({ credsStore: "nowhere" }));
  const env = { NODE_EXTRA_CA_CERTS: "/nowhere.pem", HTTPS_PROXY: "http://me:secret@127.0.0.1:9" };
  const { exitCode, stdout } = await place.run(["doctor", "--image", "127.0.0.1:9/none"], { env });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(
    /^PROBLEM {2}authorities: NODE_EXTRA_CA_CERTS: .*\/nowhere\.pem.*\n {9}name a file of PEM/m,
  );
  expect(stdout).toMatch(
    /^PROBLEM {2}credentials: .*no docker-credential-nowhere is on the PATH\n {9}install it/m,
  );
  expect(stdout).toMatch(/^note {5}proxy: .*\n {9}set NO_PROXY/m);
  expect(stdout).toMatch(/^PROBLEM {2}registry from here: .*127\.0\.0\.1:9/m);
  expect(stdout).toMatch(/^PROBLEM {2}registry from builder: /m);
  expect(stdout).not.toContain("secret");
  await writeFile(place.path("docker/config.json"), "{}");
});

test("without an engine it says so, and goes on", async () => {
  const { exitCode, stdout } = await place.run(["doctor", "--builder", "default", "--timeout", "5s"], {
    env: { DOCKER_HOST: "unix:///nowhere/docker.sock", NODE_EXTRA_CA_CERTS: undefined },
  });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^PROBLEM {2}engine: .*\/nowhere\/docker\.sock.*\n {9}start it, or name another/m);
  expect(stdout).toMatch(/^ok {7}authorities/m);
});
