import { z } from "zod";
import { refuse } from "../../core/errors.ts";
import { readProfile } from "../../core/read-profile.ts";
import type { PrefetchQuality } from "./prefetch-quality.ts";
import type { QualityMatrix } from "./quality-matrix.ts";

const kind = "prefetch-quality";
const shares = z.array(z.array(z.number().min(0).max(1).nullable()).min(1)).min(1);
/** What `gate` reads; whatever else says where the figures come from is for people. */
const schema = z.looseObject({ kind: z.literal(kind), recall: shares, precision: shares });

/** A measured quality as a JSON document. */
export const qualityDocument = (quality: PrefetchQuality) => ({ kind, ...quality });

/** Reads such a document; refuses one whose two matrices are not alike. */
export function readPrefetchQuality(json: unknown, file: string): QualityMatrix {
  const { recall, precision } = readProfile(schema, json, file);
  const widths = new Set([...recall, ...precision].map((list) => list.length));
  if (widths.size !== 1 || recall.length !== precision.length)
    refuse({
      file,
      at: "precision",
      expected: "as many layers as recall, with as many distances each",
      found: `${precision.length} layers for ${recall.length}, lists of ${[...widths].join(" and ")}`,
    });
  return { recall, precision };
}
