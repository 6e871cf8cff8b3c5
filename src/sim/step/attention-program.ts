import type { Attention } from "../../models/spec.ts";
import type { AttentionContext, AttentionProgram } from "./attention-parts.ts";
import { compressedProgram } from "./compressed-program.ts";
import { gqaProgram } from "./gqa-program.ts";
import { linearProgram } from "./linear-program.ts";
import { mlaProgram } from "./mla-program.ts";

/** The program of one class of layers, by its kind of attention. */
export function attentionProgram(attention: Attention, context: AttentionContext): AttentionProgram {
  switch (attention.kind) {
    case "gqa":
      return gqaProgram(attention, context);
    case "mla":
      return attention.compressed === undefined
        ? mlaProgram(attention, context)
        : compressedProgram(attention, attention.compressed, context);
    case "linear":
      return linearProgram(attention, context);
    case "none":
      return { weightValues: 0, caches: [], ns: () => 0, productsNs: () => 0, prepareNs: () => 0 };
  }
}
