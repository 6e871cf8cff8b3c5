import type { StorageFormat } from "../../core/dtype.ts";
import type { ConfigReader } from "../config-reader.ts";
import type { TensorClass } from "../spec.ts";
import type { Layout } from "./layout.ts";
import type { ModulePatterns } from "./patterns.ts";

/** One quantisation configuration, whichever tool wrote it. */
export interface Scheme {
  /** How modules of `classes` are stored that nothing below says more of; null: in the dtype of the model. */
  readonly layout: Layout | null;
  readonly classes: ReadonlySet<TensorClass>;
  /** Classes with a layout of their own. */
  readonly byClass?: Readonly<Partial<Record<TensorClass, Layout | null>>>;
  /** Modules that stay in the dtype of the model, whatever else is said. */
  readonly excluded?: ModulePatterns<true> | null;
  /** Modules with layouts of their own, or none. */
  readonly named?: ModulePatterns<Layout | null> | null;
  /** The only modules of `classes` that are quantised; absent: all. */
  readonly only?: ModulePatterns<unknown>;
  readonly kv: StorageFormat | null;
}

/** What a tool reads with: problems are noted at the reader of its object, assumptions anywhere. */
export interface QuantisationTool {
  /** Its `quant_method` in config.json. */
  readonly methods: readonly string[];
  read(config: ConfigReader): Scheme;
}

/** What tools quantise unless they are told otherwise. */
export const products: ReadonlySet<TensorClass> = new Set(["attention", "dense", "shared", "experts"]);
export const productsAndHead: ReadonlySet<TensorClass> = new Set([...products, "head"]);
