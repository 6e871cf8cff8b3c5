import { z } from "zod";
import { tensorClasses } from "../models/spec.ts";
import { exactlyOne, filePath, word } from "./quantity.ts";
import { shapeSection, storageFormat } from "./shape-section.ts";

const bits = z.number().min(0.5).max(32);

/** Which model is served, and how it is quantised. */
export const modelSection = z
  .strictObject({
    id: word().optional().describe("Model of the catalogue, such as qwen3-30b-a3b; not together with file or shape."),
    file: filePath()
      .optional()
      .describe("A Hugging Face config.json, a folder that holds one, or a GGUF file; not together with id or shape."),
    shape: shapeSection.optional().describe("A model described by hand; not together with id or file."),
    dtypes: z
      .partialRecord(z.enum(tensorClasses), storageFormat)
      .optional()
      .describe("Storage format per tensor class where it differs from the release, such as {experts: int4}."),
    expertBits: z
      .union([bits, z.array(bits).min(1).max(4096), filePath()], {
        error: "bits from 0.5 to 32, a list of them for each layer with experts, or a file of moecast model bits",
      })
      .optional()
      .describe(
        "Bits per value of the routed experts, scales included, where they are not those of the experts' format in dtypes: the " +
          "average of experts in several widths, a list of one for each layer that has experts, or a file that `moecast model " +
          "bits -o` wrote. Experts of a layer are taken to have its average.",
      ),
    kvCacheDtype: storageFormat.optional().describe("Storage format of the KV cache; default as released."),
  })
  .superRefine(exactlyOne("id", "file", "shape"));
