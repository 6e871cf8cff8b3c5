import { type StorageFormat, storageFormats } from "../../core/dtype.ts";
import { formatNumber } from "../../core/units.ts";
import type { ConfigReader } from "../config-reader.ts";
import { type TensorClass, tensorClasses, type WeightStorage } from "../spec.ts";
import { type Layout, usual } from "./layout.ts";
import type { Module } from "./modules.ts";
import { products, type Scheme } from "./tool.ts";

/** How a scheme stores a module; null: in the dtype of the model. */
function layoutOf(scheme: Scheme, module: Module): Layout | null {
  const { classes, byClass, excluded, named, only, layout } = scheme;
  const own = named?.find(module) ?? null;
  if ((excluded?.find(module) ?? null) !== null) return null;
  const inside = classes.has(module.tensorClass);
  // Wildcards over products mean no router, embedding or head that the tool leaves alone.
  if (own !== null && (inside || own.byName)) return own.value;
  if (!inside || (only !== undefined && only.find(module) === null)) return null;
  return byClass?.[module.tensorClass] ?? layout;
}

/** Formats of the tensor classes and their bits, from the layouts of all modules. Mixtures are declared. */
export function classStorage(
  modules: readonly Module[],
  scheme: Scheme,
  base: StorageFormat,
  model: ConfigReader,
): WeightStorage {
  const found = new Map<TensorClass, Map<string, { readonly layout: Layout; values: number }>>();
  for (const module of modules) {
    const layout = layoutOf(scheme, module) ?? usual(base);
    const layouts = found.get(module.tensorClass) ?? new Map<string, { readonly layout: Layout; values: number }>();
    found.set(module.tensorClass, layouts);
    const key = `${layout.format} ${layout.bitsPerValue}`;
    const entry = layouts.get(key) ?? { layout, values: 0 };
    entry.values += module.values;
    layouts.set(key, entry);
  }
  // Classes of which the model has no module are named as the scheme stores them: modules that are drawn from them may.
  const formats = Object.fromEntries(
    tensorClasses.map((name) => [
      name,
      products.has(name) && scheme.classes.has(name) ? (scheme.layout?.format ?? base) : base,
    ]),
  ) as Record<TensorClass, StorageFormat>;
  const weightBits: Partial<Record<TensorClass, number>> = {};
  for (const [name, layouts] of found) {
    const parts = [...layouts.values()].sort(
      (a, b) => b.values * b.layout.bitsPerValue - a.values * a.layout.bitsPerValue,
    );
    const [most] = parts;
    if (most === undefined) continue;
    const values = parts.reduce((sum, part) => sum + part.values, 0);
    const bits =
      parts.length === 1
        ? most.layout.bitsPerValue
        : parts.reduce((sum, part) => sum + part.values * part.layout.bitsPerValue, 0) / values;
    formats[name] = most.layout.format;
    if (bits !== storageFormats[most.layout.format].bitsPerValue) weightBits[name] = bits;
    if (parts.length === 1) continue;
    const shares = parts.map(
      (part) =>
        `${formatNumber((100 * part.values) / values, 2)} % ${part.layout.format} of ${formatNumber(part.layout.bitsPerValue, 4)} bits`,
    );
    model.assume(
      `${name} weights are stored in several formats (${shares.join(", ")}): their bytes are summed and shared evenly, all compute as ${most.layout.format}`,
    );
  }
  return Object.keys(weightBits).length === 0 ? { formats } : { formats, weightBits };
}
