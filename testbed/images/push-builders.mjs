// usage: push-builders.mjs REGISTRY BUSYBOX VERSION=BUILDKIT-DIR…
// Adds builder images of other versions to a registry, as moby/buildkit:VERSION.
import { builderImage } from "./builder-image.mjs";
import { pushIndex } from "./image.mjs";

const [registry, busybox, ...versions] = process.argv.slice(2);
for (const each of versions) {
  const [version, programs] = each.split("=");
  await pushIndex(registry, `moby/buildkit:${version}`, [builderImage(programs, busybox)]);
}
