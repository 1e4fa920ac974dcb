import "./check-node.js";
export { type BuildImageOptions, buildImage } from "./build-image.js";
export { type BuildKitConfig, BuildKitContainer, type RegistryOptions } from "./buildkit-container.js";
export { type OpenImageOptions, openImage } from "./open-image.js";
export { stopSharedBuildKit } from "./shared-builder.js";
export { StartedBuildKitContainer } from "./started-buildkit-container.js";
