import { parseAnnotation } from "../../build/index.js";

/** An annotation, and what of an image it is for. */
export interface ImageAnnotation {
  /** `index`, `index-descriptor`, `manifest` or `manifest-descriptor`; empty when none was named. */
  type: string;
  /** Of manifests of this platform only. */
  platform?: string;
  key: string;
  value: string;
}

/** Reads `[type[platform],…:]key=value`, once for each type. @throws InvalidArgumentError */
export function parseImageAnnotation(text: string): ImageAnnotation[] {
  return parseAnnotation(text).map(([attr, value]) => {
    const match = /^annotation(?:-([a-z-]+))?(?:\[([^\]]+)\])?\.(.*)$/s.exec(attr);
    const [, type = "", platform, key = ""] = match ?? [];
    return { type, ...(platform !== undefined && { platform }), key, value };
  });
}
