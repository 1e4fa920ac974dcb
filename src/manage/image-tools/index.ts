export { imageMetadata } from "./create-image.js";
export {
  type CreateImageOptions,
  type CreatedImage,
  type ImageToolsOptions,
  type InspectImageOptions,
  type InspectedImage,
  type InspectedPlatform,
  createImage,
  inspectImage,
} from "./image-tools.js";
