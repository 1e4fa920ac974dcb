import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { type SlipwayOptions, dockerProgram } from "../support/slipway.js";
import { Workplace } from "../support/workplace.js";

const { registry } = engineEnv();

/** Every name that a test gives an image, so that they go at the end. */
const made = new Set<string>();
let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open("docker-command");
  await place.engine.images.pull("busybox");
});
afterAll(async () => {
  for (const name of made) await place.engine.images.remove(name, { force: true }).catch(() => {});
  await place.close();
});

/** Runs `slipway-docker ARGS…` to its end, whatever that is. */
function run(args: readonly string[], options: SlipwayOptions = {}) {
  return place.run(args, { program: dockerProgram, ...options });
}

/** What it prints, where it must succeed. */
async function output(args: readonly string[], options: SlipwayOptions = {}): Promise<string> {
  const { stdout } = await place.succeed(args, { program: dockerProgram, ...options });
  return stdout;
}

/** Builds an image into the engine as the tools do, and gives its name. */
async function built(
  name: string,
  dockerfile = `FROM busybox\nLABEL of=${name}\nEXPOSE 80\n`,
): Promise<string> {
  const image = `${place.id}-${name}:1`;
  made.add(image);
  await output(["build", "-t", image, await place.context({ Dockerfile: dockerfile })]);
  return image;
}

describe("slipway-docker", () => {
  it("builds into the engine without --load, and from what is there", async () => {
    const base = await built("base");
    const child = await built("child", `FROM ${base}\nRUN true\n`);
    expect(await output(["inspect", "-f", "{{.Config.Labels.of}}", child])).toBe("base\n");
    // The Dockerfile from standard input, options behind the context.
    made.add(`${base}-stdin`);
    const context = await place.context({ file: "" });
    await output(["build", "--provenance=false", "-f", "-", context, "--load", "-t", `${base}-stdin`], {
      input: `FROM ${base}\nCOPY file /\n`,
    });
    expect(await output(["images", "-q", `${place.id}-base`])).toMatch(/^(?:[0-9a-f]{12}\n){2}$/);
  });

  it("a failing build has buildx's exit code and words", async () => {
    const context = await place.context({ Dockerfile: "FROM busybox\nRUN exit 3\n" });
    const { exitCode, stderr } = await run(["build", context]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("exit code: 3");
  });

  it("inspects by templates as the tools ask", async () => {
    const image = await built("inspected");
    const { Id, Size, Architecture } = await place.engine.images.inspect(image);
    const rows: [template: string, expected: string][] = [
      ["{{.Id}}", Id],
      ["{{ json .RepoTags }}", JSON.stringify([image])],
      ["{{ .Size }} {{ len .RootFS.Layers }}", `${Size} 1`],
      ["{{ .Os }}/{{ .Architecture }}", `linux/${Architecture}`],
      ["{{ range .RepoTags }}{{ . }}\n{{ end }}", `${image}\n`],
      ["{{ len .Config.ExposedPorts }}", "1"],
    ];
    for (const [template, expected] of rows)
      expect(await output(["image", "inspect", image, "--format", template])).toBe(`${expected}\n`);
    // What the engine leaves out is empty.
    expect(await output(["image", "inspect", "busybox", "--format", "{{ len .Config.ExposedPorts }}"])).toBe(
      "0\n",
    );
    const [json] = JSON.parse(await output(["inspect", "--type", "image", image])) as [{ Id: string }];
    expect(json.Id).toBe(Id);
  });

  it("says what is not there as docker does, after what is", async () => {
    const image = await built("found");
    const nothing = await run(["inspect", "--type", "image", "nope"]);
    expect(nothing).toMatchObject({ exitCode: 1, stdout: "[]\n" });
    expect(nothing.stderr).toMatch(/^Error response from daemon: No such image: nope/i);
    const both = await run(["inspect", "-f", "{{.RepoTags}}", "a/b", image]);
    expect(both).toMatchObject({
      exitCode: 1,
      stdout: `[${image}]\n`,
      stderr: "Error: No such object: a/b\n",
    });
  });

  it("lists, tags, pushes, pulls and removes images", async () => {
    const image = await built("pushed");
    const remote = `${registry}/${place.id}/pushed:2`;
    made.add(remote);
    await output(["tag", image, remote]);
    const found = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=*/*/*:2"];
    expect(await output(found)).toBe(`${remote}\n`);
    expect(await output(["push", remote])).toMatch(
      /^The push refers to repository [^]*\n2: digest: sha256:\w+ size: \d+\n$/,
    );
    expect(await output(["rmi", remote])).toMatch(/^Untagged: /);
    expect(await output(["pull", remote, "--platform", "linux/amd64"])).toMatch(new RegExp(`\n${remote}\n$`));
    expect(await output(["pull", "-q", remote])).toBe(`${remote}\n`);
    expect(await output(["images", `${registry}/${place.id}/pushed`])).toMatch(
      /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\n\S+ +2 +[0-9a-f]{12} +.* ago +[\d.]+MB\n$/,
    );
    const missing = await run(["push", `${registry}/${place.id}/pushed:3`]);
    expect(missing.exitCode).toBe(1);
    expect((await run(["image", "rm", "nope", remote])).exitCode).toBe(1);
    await expect(place.engine.images.inspect(remote)).rejects.toMatchObject({ code: "ENGINE_NOT_FOUND" });
  });

  it("keeps credentials in the directory of --config", async () => {
    const dir = await place.context({});
    const login = ["--config", dir, "login", "--username", "me", "--password-stdin", registry];
    expect(await output(login, { input: "secret" })).toBe("Login Succeeded\n");
    expect(await output(["--config", dir, "logout", registry])).toBe(
      `Removing login credentials for ${registry}\n`,
    );
  });

  it("tells versions in docker's form", async () => {
    expect(await output(["-v"])).toMatch(/^Docker version \d+\.\d+\.\d+, build /);
    const { Version } = await place.engine.version();
    expect(await output(["version", "--format", "{{.Server.Version}}"])).toBe(`${Version}\n`);
    expect(await output(["version"])).toMatch(
      /^Client:\n Version: +\d[^]*\nServer:[^]*\n Engine:\n {2}Version: /,
    );
    expect(await output(["info", "--format", "{{.ServerVersion}}"])).toBe(`${Version}\n`);
    expect(await output(["info"])).toContain(`\n Server Version: ${Version}\n`);
    expect(await output(["buildx", "version"])).toMatch(/^slipway v\d+\.\d+\.\d+ /);
  });

  it("runs with nothing to do, as tools try whether it is there", async () => {
    expect(await output([])).toContain("Commands:\n");
    expect(await output(["buildx"])).toContain("Available Commands:\n");
  });
});
