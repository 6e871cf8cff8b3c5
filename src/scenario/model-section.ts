import { z } from "zod";
import { storageFormatNames } from "../core/dtype.ts";
import { tensorClasses } from "../models/spec.ts";
import { exactlyOne, filePath, word } from "./quantity.ts";

const format = z.enum(storageFormatNames);

/** Which model is served, and how it is quantised. */
export const modelSection = z
  .strictObject({
    id: word().optional().describe("Model of the catalogue, such as qwen3-30b-a3b; not together with file."),
    file: filePath()
      .optional()
      .describe("A Hugging Face config.json, a folder that holds one, or a GGUF file; not together with id."),
    dtypes: z
      .partialRecord(z.enum(tensorClasses), format)
      .optional()
      .describe("Storage format per tensor class where it differs from the release, such as {experts: int4}."),
    kvCacheDtype: format.optional().describe("Storage format of the KV cache; default as released."),
  })
  .superRefine(exactlyOne("id", "file"));
