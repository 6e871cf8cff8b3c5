import { z } from "zod";
import { storageFormatNames } from "../core/dtype.ts";
import { axesMax } from "./efficiency-map.ts";
import { kernelFamilies } from "./kernel-maps.ts";

const name = z.string().trim().min(1);
const share = z.number().nonnegative();

const errorSchema = z
  .strictObject({ rows: z.number().int().positive(), mean: share, median: share, p90: share, bias: z.number() })
  .readonly();

const knots = z
  .array(z.number().positive())
  .min(1)
  .refine((values) => values.every((value, i) => i === 0 || value > (values[i - 1] ?? 0)), "expected increasing knots")
  .readonly();

const fitSchema = z
  .strictObject({
    tables: z
      .array(z.strictObject({ name, version: name }).readonly())
      .min(1)
      .readonly(),
    date: z.iso.date("expected a day as YYYY-MM-DD").exactOptional(),
    split: name,
    rows: z.number().int().positive(),
    shapes: z.number().int().positive(),
    fitError: errorSchema,
    heldOutError: errorSchema.nullable(),
  })
  .readonly();

const mapSchema = z
  .strictObject({
    family: z.enum(kernelFamilies),
    engine: name.exactOptional(),
    format: z.enum(storageFormatNames).exactOptional(),
    launchNs: z.number().nonnegative(),
    writeNs: z.number().nonnegative().exactOptional(),
    from: name.exactOptional(),
    axes: z.array(z.strictObject({ name, knots }).readonly()).max(axesMax).readonly(),
    /** Above 1 a kernel would beat the physical peak. */
    efficiency: z.array(z.number().positive().lte(1)).readonly(),
    fit: fitSchema,
  })
  .refine(({ axes, efficiency }) => efficiency.length === axes.reduce((nodes, axis) => nodes * axis.knots.length, 1), {
    path: ["efficiency"],
    message: "expected one efficiency per node of the grid",
  })
  .readonly();

/** Measured kernels of a device, in a file of their own or inside a device profile. */
export const kernelMapsSchema = z.strictObject({ device: name, maps: z.array(mapSchema).readonly() }).readonly();
