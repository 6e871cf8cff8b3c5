import { z } from "zod";
import { filePath, word } from "./quantity.ts";

/** What a policy counts expert loads from. */
export const fitSection = z
  .strictObject({
    file: filePath().optional().describe("Routing trace to fit on; default the one that is replayed."),
    domain: word().optional().describe("Domain of that trace to fit on; default all."),
  })
  .optional()
  .describe("What expert loads are counted from; default the routing that is replayed, which is optimistic.");
