// usage: push-pause.mjs REGISTRY BUSYBOX
// What keeps a pod's namespaces while its containers come and go.
import { platformImage, pushIndex } from "../images/image.mjs";

const [registry, busybox] = process.argv.slice(2);
const image = platformImage({
  architecture: "amd64",
  files: { "/bin/busybox": { from: busybox, mode: 0o755 } },
  config: { Entrypoint: ["/bin/busybox", "sleep", "2147483647"] },
});
await pushIndex(registry, "testbed/pause:1", [image]);
