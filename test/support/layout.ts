import { readFile } from "node:fs/promises";
import path from "node:path";

/** A descriptor of OCI's image-spec, as far as tests look at it. */
export interface TestDescriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
  platform?: { os: string; architecture: string };
}

/** A manifest or an index. */
export interface TestManifest {
  mediaType: string;
  annotations?: Record<string, string>;
  config: TestDescriptor;
  layers: TestDescriptor[];
  manifests: TestDescriptor[];
}

/** The documents and blobs of an OCI layout. */
export class TestLayout {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  async index(): Promise<TestManifest> {
    return JSON.parse(await readFile(path.join(this.dir, "index.json"), "utf8")) as TestManifest;
  }

  blob(digest: string): Promise<Buffer> {
    return readFile(path.join(this.dir, "blobs", digest.replace(":", "/")));
  }

  async manifest(digest: string): Promise<TestManifest> {
    return JSON.parse((await this.blob(digest)).toString("utf8")) as TestManifest;
  }

  /** What the layout's only name leads to. */
  async root(): Promise<{ descriptor: TestDescriptor; manifest: TestManifest }> {
    const { manifests } = await this.index();
    const [descriptor] = manifests;
    if (!descriptor || manifests.length > 1) throw new Error(`${manifests.length} manifests in ${this.dir}`);
    return { descriptor, manifest: await this.manifest(descriptor.digest) };
  }
}
