import type { Readable } from "node:stream";
import { pb } from "../../buildkit/index.js";
import { SlipwayError, isSlipwayError, messageOf } from "../../core/index.js";
import type { Gateway } from "../gateway-drive.js";
import { type ExecPlace, type ExecResult, runProcess } from "../live/process.js";
import type { ArchiveWatch } from "./archive-watch.js";
import { BuildGraph } from "./build-graph.js";
import type { CacheMount } from "./find-cache-mounts.js";
import { imageDefinition } from "./image-definition.js";

/** Where a cache mount is in the containers that look into it. */
const dest = "/slipway-cache-mount";

/** How {@link MountContainers} works. */
export interface MountContainersOptions {
  bridge: Gateway;
  signal: AbortSignal;
  /** An image with `tar` and `ls`, instead of those that the Dockerfile's steps are made from. */
  image?: string | undefined;
}

/**
 * Runs `tar` on cache mounts, in containers of the build's gateway: nothing of it stays in the builder. BuildKit gives cache mounts
 * to processes only, and these need an image; those that the steps are made from nearly always have one.
 */
export class MountContainers {
  readonly #options: MountContainersOptions;
  /** References by the digest of what they are made from, so that each is made once. */
  readonly #refs = new Map<string, Promise<string>>();

  constructor(options: MountContainersOptions) {
    this.#options = options;
  }

  /** Nothing is in it but what it began with. */
  async isFresh(mount: CacheMount): Promise<boolean> {
    // All that `ls` tells of the files is compared with what it tells of those that the mount began with.
    const args = ["ls", mount.hasContent ? "-AlR" : "-A", dest];
    const { stdout } = await this.#run(mount, { args });
    if (!mount.hasContent) return stdout.length === 0;
    const { stdout: first } = await this.#run(mount, { args, asItBegan: true });
    return stdout.equals(first);
  }

  /** Writes a tar archive of the content. @throws SlipwayError `CACHE_MOUNT`, what `output` fails with */
  async pack(mount: CacheMount, output: ArchiveWatch): Promise<void> {
    await this.#run(mount, { args: ["tar", "-C", dest, "--numeric-owner", "-cf", "-", "."], output });
  }

  /** Puts the files of a tar archive there. @throws SlipwayError `CACHE_MOUNT` */
  async unpack(mount: CacheMount, input: () => Readable): Promise<void> {
    await this.#run(mount, { args: ["tar", "-C", dest, "--numeric-owner", "-xpf", "-"], input });
  }

  async #run(mount: CacheMount, task: Task): Promise<ExecResult> {
    const tried: string[] = [];
    for (const root of this.#roots(mount)) {
      const result = await this.#attempt(mount, root, task);
      if (result.exitCode === 0) return result;
      const said = result.stderr.toString("utf8").trim() || `exit code ${result.exitCode}`;
      tried.push(`${root.name}: ${said}`);
      // A daemon says in words only that there is no such program, so the next image is asked whatever it was.
      if ((task.output?.size ?? 0) > 0) break;
    }
    throw new SlipwayError(
      "CACHE_MOUNT",
      `${task.args[0]} failed on the cache mount ${mount.title} (${tried.join("; ")}); ` +
        "an image that has tar and ls can be given with cacheMounts.image (--cache-mounts dir=DIR,image=IMAGE)",
    );
  }

  /** One image; that it cannot be had, or nothing be started in it, is told as a command's failure. */
  async #attempt(mount: CacheMount, root: Root, task: Task): Promise<ExecResult> {
    const { signal } = this.#options;
    try {
      const place = await this.#place(mount, root, task.asItBegan ?? false);
      return await runProcess(place, task.args, {
        signal,
        ...(task.input && { stdin: task.input() }),
        ...(task.output && { stdout: task.output }),
      });
    } catch (error) {
      if (signal.aborted || !isSlipwayError(error, ["RESULT_EXEC", "BUILDKIT_STATUS"])) throw error;
      return { exitCode: 1, stdout: Buffer.alloc(0), stderr: Buffer.from(messageOf(error)) };
    }
  }

  *#roots({ images }: CacheMount): Generator<Root> {
    const { image } = this.#options;
    // Many steps are made from one image.
    const distinct = new Map(images.map((one) => [one.edge.digest, one]));
    if (image === undefined) yield* [...distinct.values()].map(rootOf);
    yield rootOf(asSource(image ?? "busybox"));
  }

  async #place(mount: CacheMount, root: Root, asItBegan: boolean): Promise<ExecPlace> {
    const { selector, cacheOpt, base } = mount;
    const rootID = await this.#ref(root);
    const resultID = base ? await this.#ref(base) : "";
    const content = asItBegan ? {} : { mountType: pb.MountType.CACHE, cacheOpt };
    return {
      bridge: this.#options.bridge,
      mounts: [
        { dest: "/", resultID: rootID },
        { dest, selector, resultID, ...content },
      ],
      network: pb.NetMode.NONE,
      security: pb.SecurityMode.SANDBOX,
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      cwd: "/",
      user: "0:0",
      command: [],
      platform: root.platform,
    };
  }

  #ref({ graph, edge }: Pick<Root, "graph" | "edge">): Promise<string> {
    const key = `${edge.digest}:${edge.index}`;
    const known = this.#refs.get(key) ?? this.#solve(graph.definition(edge));
    this.#refs.set(key, known);
    return known;
  }

  async #solve(Definition: pb.Definition): Promise<string> {
    const { bridge, signal } = this.#options;
    const request = { Definition, Evaluate: true, allowResultReturn: true, allowResultArrayRef: true };
    const { result } = await bridge.solve(request, { signal });
    return result?.result.case === "ref" ? result.result.value.id : "";
  }
}

interface Task {
  args: readonly string[];
  input?: () => Readable;
  output?: ArchiveWatch;
  asItBegan?: boolean;
}

type Root = CacheMount["images"][number] & { name: string };

function rootOf(image: CacheMount["images"][number]): Root {
  const made = image.graph.ops.get(image.edge.digest);
  const name = made?.op.case === "source" ? made.op.value.identifier : "";
  return { ...image, name: name.replace(/^docker-image:\/\//, "") };
}

function asSource(image: string): CacheMount["images"][number] {
  const { definition, edge } = imageDefinition(image);
  return { graph: new BuildGraph(definition), edge, platform: undefined };
}
